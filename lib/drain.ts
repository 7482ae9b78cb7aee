/**
 * Works off what is due for the better part of a minute, where no process lives long (Deno Deploy): a cron begins one
 * every minute, and so does a session that somebody starts. Several processes may drain at once; leases keep them apart.
 *
 *     asked --> claims and calls --(deadline)--> rests: answers still out --(none left)--> end
 *                ^        |                        |
 *                |        +--(nothing due before the deadline)--------------------------> end
 *                +-------------(asked again)-------+
 *     told to end: leases are handed back within the grace
 *
 * One worker at a time, so that CONCURRENCY holds also when a minute begins while slow answers of the one before are out.
 */
import type { Database } from "./database/port.ts";
import { messageOf } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Runtime } from "./runtime.ts";
import { sleep } from "./sleep.ts";
import { within } from "./within.ts";

/** So long after somebody asked nothing is claimed any more, ms: most of what is out then is answered within the minute. */
const LENGTH_MS = 45_000;
/**
 * Whoever asked waits this long, ms: the platform keeps a process whose cron runs, and skips the next run of a cron
 * that has not ended by then.
 */
const HOLD_MS = 55_000;
/** How often it is looked whether there is anything left to do, ms. */
const LOOK_MS = 500;

export interface DrainOptions {
  db: Database;
  log: Log;
  /** Makes this process a worker. */
  start: () => Promise<Runtime>;
  /** @default 45 s */
  lengthMs?: number;
  /** @default 55 s */
  holdMs?: number;
}

export class Drain {
  readonly #options: DrainOptions;
  readonly #ending = new AbortController();
  #running: Promise<void> | null = null;
  #runtime: Runtime | null = null;
  /** Somebody asked, and it was not looked since. */
  #asked = false;
  /** For the requests that are out when the process ends, ms. */
  #graceMs = 0;

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** Articles claimed by the one under way. */
  get holding(): number {
    return this.#runtime?.worker.holding ?? 0;
  }

  /**
   * Begins one, or lets the one under way look at once; one that rests claims again. Resolves when it has ended, or
   * when the next minute is near and it still waits for answers; never rejects.
   */
  async run(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    this.#asked = true;
    this.#runtime?.worker.wake();
    this.#running ??= this.#drainWhileAsked().finally(() => this.#running = null);
    await within(this.#options.holdMs ?? HOLD_MS, this.#running);
  }

  /**
   * Claims nothing more and ends the one under way.
   * @param graceMs After this long, requests that are still out are aborted; their calls become UNKNOWN.
   */
  async stop(graceMs: number): Promise<void> {
    this.#graceMs = graceMs;
    this.#ending.abort();
    await this.#runtime?.stop(graceMs);
    await this.#running;
  }

  /** Who asks while one ends is not forgotten. */
  async #drainWhileAsked(): Promise<void> {
    const { log } = this.#options;
    try {
      while (this.#asked && !this.#ending.signal.aborted) {
        this.#asked = false;
        await this.#drain();
      }
    } catch (error) {
      log("warn", { error: messageOf(error) }, "could not work off what is due; trying again");
    }
  }

  async #drain(): Promise<void> {
    const { db, log, start, lengthMs = LENGTH_MS } = this.#options;
    const dueMs = await readDueMs(db);
    if (dueMs === null || dueMs > lengthMs) return;
    const runtime = await start();
    this.#runtime = runtime;
    try {
      // Until the platform ends the process at the latest.
      while (await this.#claim(runtime) === "deadline" && await this.#rest(runtime) === "asked") {
        runtime.worker.start();
      }
    } finally {
      await runtime.stop(this.#graceMs);
      this.#runtime = null;
    }
    log("debug", {}, "worked off what was due");
  }

  /** The worker claims. */
  async #claim({ worker }: Runtime): Promise<"done" | "deadline"> {
    const { lengthMs = LENGTH_MS } = this.#options;
    let deadline = performance.now() + lengthMs;
    for (let leftMs = lengthMs; leftMs > 0; leftMs = deadline - performance.now()) {
      await sleep(Math.min(LOOK_MS, leftMs), this.#ending.signal);
      if (this.#ending.signal.aborted) return "done";
      // Whoever asks has a whole length: the cron of the next minute may find one that somebody else began.
      if (this.#asked) deadline = performance.now() + lengthMs;
      this.#asked = false;
      if (worker.holding === 0 && await this.#isNothingDue(deadline)) return "done";
    }
    return "deadline";
  }

  /** A database that is away for a moment says nothing: the worker waits it out, too. */
  async #isNothingDue(deadline: number): Promise<boolean> {
    try {
      const dueMs = await readDueMs(this.#options.db);
      return dueMs === null || performance.now() + dueMs > deadline;
    } catch (error) {
      this.#options.log("warn", { error: messageOf(error) }, "could not see what is due; looking again");
      return false;
    }
  }

  /** The worker takes in what is out; an article's own time limits that. */
  async #rest({ worker }: Runtime): Promise<"done" | "asked"> {
    worker.rest();
    while (worker.holding > 0 && !this.#asked && !this.#ending.signal.aborted) {
      await sleep(LOOK_MS, this.#ending.signal);
    }
    return this.#asked && !this.#ending.signal.aborted ? "asked" : "done";
  }
}

/** ms until an article is due or a session goes on by itself, 0 when one is now; null: never, as things stand. */
async function readDueMs(db: Database): Promise<number | null> {
  const { rows: [{ due_ms }] } = await db.query<{ due_ms: number | null }>(
    `SELECT (extract(epoch FROM min(greatest(due, now())) - now()) * 1000)::float8 AS due_ms FROM (
       SELECT CASE s.status WHEN 'PAUSED' THEN s.resume_at ELSE coalesce(
         (SELECT min(i.not_before) FROM batch_processing_items i
          WHERE i.session_id = s.session_id AND i.status = 'PENDING'), now()) END AS due
       FROM batch_processing_sessions s WHERE s.status IN ('PROCESSING', 'PAUSED')) live`,
  );
  return due_ms;
}
