/** One pass over what one sink has to be told: in order, under the sink's lease, at least once. */
import type { QuietHours } from "../config_values.ts";
import type { Database } from "../database/port.ts";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { type Delivered, type Due, type Moment, readDue, recordDelivery } from "./outbox.ts";
import { leaveSink, recordFailure, renewSink, takeSink } from "./sink_rows.ts";
import type { AlertSink, Notice, SendResult } from "./sinks/port.ts";

export interface DeliveryOptions {
  quietHours: QuietHours | null;
  /** Of the quiet hours. */
  timeZone: string;
  log: Log;
  /** Begins nothing new once it is aborted; what is being sent is cut by `cut`. */
  stop?: AbortSignal;
  /** Cuts what is being sent: it is sent again later. */
  cut?: AbortSignal;
  /** Waits after failures: the first one, and the longest, ms. */
  backoff?: { firstMs: number; longestMs: number };
  /** How long a process that died keeps a sink from the others, ms. Renewed while a notice is on its way. */
  leaseMs?: number;
  /** How long one notice may take, ms. */
  sendMs?: number;
  now?: Date | null;
}

export interface DeliveryReport {
  sent: number;
  refused: number;
  obsolete: number;
  /** Sinks that could not be reached. */
  failed: { sink: string; error: string }[];
}

const BACKOFF = { firstMs: 1_000, longestMs: 300_000 };
const LEASE_MS = 10_000;
const SEND_MS = 25_000;
/** A sink that asks for more patience than this is asked again all the same, ms. */
const LONGEST_TOLD_WAIT_MS = 3_600_000;
/** Rows read at once: those that are over are put aside together with the next one that is sent. */
const READ_AHEAD = 20;
/** A pass ends after this many, so that a flood at one sink does not keep a process from stopping. */
const LONGEST_PASS = 200;

const WHY_ASIDE = { obsolete: "over before it was told", too_old: "too old to be news" };

export class DeliveryPass {
  readonly #token = crypto.randomUUID();
  readonly #leaseMs: number;
  readonly #now: Date | null;
  #failures = 0;

  constructor(
    readonly db: Database,
    readonly sink: AlertSink,
    readonly moment: Moment,
    readonly options: DeliveryOptions,
    readonly report: DeliveryReport,
  ) {
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#now = options.now ?? null;
  }

  async run(): Promise<void> {
    const { db, sink: { name } } = this;
    const failures = await takeSink(db, name, this.#token, this.#leaseMs, this.#now);
    if (failures === null) return;
    this.#failures = failures;
    try {
      for (let round = 0; round < LONGEST_PASS && !this.options.stop?.aborted; round++) {
        const due = await readDue(db, name, this.moment, READ_AHEAD);
        if (due.length === 0 || !await this.#deliverNext(due)) return;
      }
    } finally {
      await leaveSink(db, name, this.#token);
    }
  }

  /** Puts aside what is over and sends the next one. False ends the pass: the sink failed, or is not ours any more. */
  async #deliverNext(due: readonly Due[]): Promise<boolean> {
    for (const { notice, fate, ...alert } of due) {
      if (fate === "send") return await this.#sendOne({ alert, notice });
      this.report.obsolete++;
      if (!await this.#record({ alert, notice }, "obsolete", WHY_ASIDE[fate])) return false;
    }
    return true;
  }

  async #sendOne(notice: Notice): Promise<boolean> {
    const { sink, report, options: { log, cut } } = this;
    const result = await this.#send(notice);
    if (result.ok) {
      report.sent++;
      if (this.#failures > 0) {
        log("info", { sink: sink.name, failures: this.#failures }, "a sink takes alerts again");
      }
      this.#failures = 0;
      return await this.#record(notice, "sent", null);
    }
    const { error } = result;
    if (result.refused) {
      report.refused++;
      log("error", { sink: sink.name, alert: notice.alert.alert_id, error }, "a sink refused an alert");
      return await this.#record(notice, "refused", error);
    }
    // Cut off by our own end: that says nothing about the sink.
    if (!cut?.aborted) await this.#backOff(result);
    return false;
  }

  /** Does not rely on the sink to heed the signal: one that never answers must not hold up the others. */
  async #send(notice: Notice): Promise<SendResult> {
    const { sendMs = SEND_MS, cut } = this.options;
    const timeout = AbortSignal.timeout(sendMs);
    const signal = cut ? AbortSignal.any([timeout, cut]) : timeout;
    const late = new Promise<SendResult>((resolve) => {
      const giveUp = () => resolve({ ok: false, refused: false, error: "no answer in time" });
      if (signal.aborted) giveUp();
      else signal.addEventListener("abort", giveUp, { once: true });
    });
    // A database that is away is waited out: should another process take over, this notice may come twice.
    const beat = setInterval(() => {
      renewSink(this.db, this.sink.name, this.#token, this.#leaseMs, this.#now).catch(() => {});
    }, this.#leaseMs / 3);
    try {
      return await Promise.race([this.sink.send(notice, signal), late]);
    } catch (error) {
      return { ok: false, refused: false, error: messageOf(error) };
    } finally {
      clearInterval(beat);
    }
  }

  #record({ alert, notice }: Notice, outcome: Delivered["outcome"], detail: string | null): Promise<boolean> {
    const told = { alertId: alert.alert_id, notice, outcome, detail };
    return recordDelivery(this.db, this.sink.name, this.#token, told, this.#leaseMs, this.#now);
  }

  async #backOff({ error, retryAfterMs }: Extract<SendResult, { ok: false }>): Promise<void> {
    const { sink, report, options: { log, backoff = BACKOFF } } = this;
    const failures = this.#failures + 1;
    const waitMs = Math.round(
      retryAfterMs === undefined
        ? backoffMs(failures, backoff)
        : Math.min(retryAfterMs, LONGEST_TOLD_WAIT_MS),
    );
    report.failed.push({ sink: sink.name, error });
    await recordFailure(this.db, sink.name, this.#token, { failures, error, waitMs }, this.#now);
    // Once is news; after that the table says it.
    log(
      failures === 1 ? "warn" : "debug",
      { sink: sink.name, error, failures, wait_ms: waitMs },
      "a sink fails: its alerts wait",
    );
  }
}

/** Doubles from the first wait to the longest; up to a quarter less, so that sinks do not come back in step. */
export function backoffMs(failures: number, { firstMs, longestMs } = BACKOFF): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(30, failures - 1)) * (1 - Math.random() / 4);
}
