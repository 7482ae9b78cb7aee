/**
 * The dispatcher port: carries wake-ups between the parts of the desk. A message says "look", never "do": it may be
 * lost, late, doubled or reordered, and nothing breaks, because what there is to do stands in Postgres.
 */
import { z } from "zod";

/** The queues, in the words of the original system. */
export const QUEUES = ["batch_processing", "newsletter", "publishing"] as const;
export type QueueName = (typeof QUEUES)[number];

/** The jobs that messages may name. */
export const JOBS = ["batch_analyze_articles", "cleanup_stalled_batches", "ingest_feeds"] as const;

export const messageSchema = z.object({
  queue: z.enum(QUEUES),
  job: z.enum(JOBS),
  /** With batch_analyze_articles: which batch is due, for the log. */
  session: z.number().int().positive().optional(),
  batch: z.number().int().positive().optional(),
});
export type Message = z.infer<typeof messageSchema>;

/** Resolves when the message has been dealt with; a rejection asks for it again. */
export type Handler = (message: Message) => Promise<void>;

export interface Dispatcher {
  /** @param delayMs The message arrives after this long at the earliest. */
  enqueue(message: Message, delayMs?: number): Promise<void>;
  /** Begins to deliver. Messages of a queue without a handler are dropped and logged. */
  listen(handlers: Partial<Record<QueueName, Handler>>): void;
  /** Delivers nothing new and waits for the handlers that run. */
  stop(): Promise<void>;
}
