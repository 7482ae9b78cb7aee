/**
 * The sink port: a place that is told of alerts. It is told in order and at least once: a notice that was sent but not
 * recorded before a crash comes again, with the same alert and notice.
 */
import type { Alert } from "../types.ts";

/** `raised` with `alert.resolved_at` set: it is told late and is over already; its end follows. */
export interface Notice {
  alert: Alert;
  notice: "raised" | "resolved";
}

export type SendResult =
  | { ok: true }
  | {
    ok: false;
    /** The sink will never take this one: it is put aside and the next is sent. */
    refused: boolean;
    /** The sink named a time to come back, ms. */
    retryAfterMs?: number;
    /** One line for a person, without addresses and keys. */
    error: string;
  };

export interface AlertSink {
  /** Its identity in the database: "log", "webhook", "telegram:<chat>". */
  readonly name: string;
  /** @param signal Aborts when the sink takes too long or the process ends; then nobody waits for the answer. */
  send(notice: Notice, signal: AbortSignal): Promise<SendResult>;
}
