/**
 * The dispatcher port: carries wake-ups between the parts of the desk. A message says "look", never "do": it may be
 * lost, late, doubled or reordered, and nothing breaks, because what there is to do stands in Postgres.
 */
import { z } from "zod";

/** The queues, in the words of the original system. */
export const QUEUES = ["batch_processing", "newsletter", "publishing"] as const;
export type QueueName = (typeof QUEUES)[number];

/** The jobs that messages may name. */
export const JOBS = [
  "batch_analyze_articles",
  "cleanup_stalled_batches",
  "recover_failed_batch_articles",
  "ingest_feeds",
] as const;

export const messageSchema = z.object({
  queue: z.enum(QUEUES),
  job: z.enum(JOBS),
  /** With batch_analyze_articles: which batch is due, for the log. With recover_failed_batch_articles: which one. */
  session: z.number().int().positive().optional(),
  batch: z.number().int().positive().optional(),
  /** With recover_failed_batch_articles, instead of a session: every one that ended short in so many days. */
  days: z.number().int().positive().optional(),
  /** Who asked, and when: a wish that is delivered twice is granted once. Unless given, the worker, on delivery. */
  actor: z.string().min(1).optional(),
  asked_at: z.iso.datetime().optional(),
});
export type Message = z.infer<typeof messageSchema>;

/** Resolves when the message has been dealt with; a rejection asks for it again. */
export type Handler = (message: Message) => Promise<void>;

export interface Dispatcher {
  /** @param delayMs The message arrives after this long at the earliest. */
  enqueue(message: Message, delayMs?: number): Promise<void>;
  /**
   * Begins to deliver. Messages of a queue without a handler are left to a process that has one, where processes share
   * the queue; otherwise they are dropped and logged.
   */
  listen(handlers: Partial<Record<QueueName, Handler>>): void;
  /** Null: messages are delivered. Else why they are not, in a few words; work that is due is found by looking then. */
  healthy(): string | null;
  /**
   * Delivers nothing new and waits for the handlers that run. A message that comes later is refused.
   * @param withinMs Handlers that take longer are left to themselves; their messages come again, here or elsewhere.
   */
  stop(withinMs?: number): Promise<void>;
}

/**
 * True for a message that only says "look": work that is due is found without it, a little later. When such a one
 * cannot be stored, nothing is lost; a wish of a person would be.
 */
export function isMereWakeUp({ job }: Message): boolean {
  return job === "batch_analyze_articles";
}
