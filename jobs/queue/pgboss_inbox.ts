/**
 * Takes messages out of pg-boss and hands them to their handlers.
 *
 *     told of one, or time to look --> fetch as many as there are free slots --> handle --> delete
 *                                                                               |
 *                                                                               +-- failed: again in 1, 2, 4 ... s
 *     the process died: its heartbeats stop, and another process's upkeep sets the message free
 *
 * pg-boss's own workers are not used: each of them looks in one queue for itself, so that three queues with 8 slots
 * each would ask 24 times where this asks once, and nobody could keep them to 8 handlers together.
 */
import type { JobWithMetadata, PgBoss } from "pg-boss";
import { messageOf } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { within } from "../../lib/within.ts";
import { deliver, type Handlers } from "./deliver.ts";
import { type QueueName, QUEUES } from "./dispatcher.ts";
import { createGroups } from "./groups.ts";

/** This many handlers run in a process, as with the KV queue. */
const HANDLERS_AT_ONCE = 8;
/** How often messages are looked for that nobody told of, ms: those of other processes whose time has come. */
const LOOK_MS = 5_000;
/** A look that takes longer hangs, ms. */
const LONGEST_LOOK_MS = 15_000;
/** How often the messages under way are said to be so, ms; well within HEARTBEAT_S. */
const BEAT_MS = 5_000;
/** The first redelivery is due by then, ms; later ones are found by the regular look. */
const RETRY_MS = 2_050;
/** What has to be said to the database at the end may take this long, ms, when the end is near. */
const LAST_WORDS_MS = 500;

interface Taken {
  queue: QueueName;
  job: JobWithMetadata<unknown>;
}

export class Inbox {
  readonly #boss: PgBoss;
  readonly #log: Log;
  readonly #settle: (taken: Taken) => Promise<void>;
  #handlers: Handlers = {};
  readonly #running = new Map<Taken, Promise<void>>();
  readonly #wanted = new Set<QueueName>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #looking: Promise<void> | null = null;
  #open = false;
  #away = false;
  /** When the look that goes on began, ms by `performance.now()`. */
  #lookingSince = 0;

  constructor(boss: PgBoss, log: Log) {
    this.#boss = boss;
    this.#log = log;
    this.#settle = createGroups((taken) => eachQueue(taken, (queue, jobs) => boss.deleteJob(queue, jobs)));
  }

  open(handlers: Handlers): void {
    this.#handlers = handlers;
    this.#open = true;
    this.#timers.add(setInterval(() => this.look(), LOOK_MS));
    this.#timers.add(setInterval(() => void this.#beat(), BEAT_MS));
    this.look();
  }

  /** See the port. */
  healthy(): string | null {
    if (!this.#open) return "delivers nothing yet";
    if (this.#away) return "cannot look for messages";
    const ms = this.#looking ? performance.now() - this.#lookingSince : 0;
    return ms > LONGEST_LOOK_MS ? `has been looking for messages for ${Math.round(ms / 1_000)} s` : null;
  }

  /** There may be a message. Cheap, and harmless when there is none. */
  look(queue?: QueueName): void {
    for (const name of queue ? [queue] : QUEUES) {
      // What this process cannot handle is left to one that can.
      if (this.#handlers[name]) this.#wanted.add(name);
    }
    this.#goOn();
  }

  /** A message will be due then. */
  lookIn(ms: number, queue: QueueName): void {
    if (!this.#open) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.look(queue);
    }, ms);
    this.#timers.add(timer);
  }

  /** @param withinMs See the port; half a second more when the database is slow to hear of it. */
  async close(withinMs?: number): Promise<void> {
    this.#open = false;
    this.#timers.forEach(clearTimeout);
    const ended = async () => {
      await this.#looking;
      await Promise.all(this.#running.values());
    };
    await within(withinMs, Promise.allSettled([ended()]));
    // Others need not wait until the heartbeat of these has run out.
    await within(LAST_WORDS_MS, Promise.allSettled([this.#giveBack([...this.#running.keys()])]));
  }

  /** Looks for what is wanted, unless that is being done already or there is no slot for it. */
  #goOn(): void {
    if (!this.#open || this.#looking || this.#wanted.size === 0 || this.#free() === 0) return;
    this.#lookingSince = performance.now();
    this.#looking = this.#fetchWanted().finally(() => {
      this.#looking = null;
      this.#goOn();
    });
  }

  #free(): number {
    return HANDLERS_AT_ONCE - this.#running.size;
  }

  async #fetchWanted(): Promise<void> {
    try {
      for (const queue of this.#wanted) {
        const free = this.#free();
        // The next handler that ends goes on.
        if (free === 0) return;
        this.#wanted.delete(queue);
        const jobs = await this.#boss.fetch(queue, { batchSize: free, includeMetadata: true });
        this.#away = false;
        // It goes to the end of those that the loop still comes to.
        if (jobs.length === free) this.#wanted.add(queue);
        const taken = jobs.map((job) => ({ queue, job }));
        if (!this.#open) return await this.#giveBack(taken);
        for (const one of taken) this.#running.set(one, this.#handle(one));
      }
    } catch (error) {
      if (!this.#away && this.#open) {
        this.#log("warn", { error: messageOf(error) }, "could not look for messages; looking again");
      }
      this.#away = true;
      this.#wanted.clear();
    }
  }

  async #handle(taken: Taken): Promise<void> {
    const done = await deliver(this.#handlers, taken.job.data, this.#log);
    try {
      if (done) await this.#settle(taken);
      else await this.#giveBack([taken]);
    } catch (error) {
      this.#log("warn", { error: messageOf(error) }, "a message could not be put away; it comes again");
    }
    this.#running.delete(taken);
    if (!done) this.#afterFailure(taken);
    this.#goOn();
  }

  #afterFailure({ queue, job }: Taken): void {
    if (job.retryCount < job.retryLimit) return this.lookIn(RETRY_MS, queue);
    this.#log("error", { queue, message: job.data }, "a message failed for the last time; it is given up");
  }

  /** Lets them come again. What was behind a failure stands in the log, not in the database: it may hold a secret. */
  async #giveBack(taken: readonly Taken[]): Promise<void> {
    await eachQueue(taken, (queue, jobs) => this.#boss.fail(queue, jobs));
  }

  /** A beat that is lost does no harm: HEARTBEAT_S has room for two more. */
  async #beat(): Promise<void> {
    await eachQueue([...this.#running.keys()], (queue, jobs) => this.#boss.touch(queue, jobs)).catch(
      () => {},
    );
  }
}

async function eachQueue(
  taken: readonly Taken[],
  run: (queue: QueueName, jobs: Taken["job"][]) => Promise<unknown>,
): Promise<void> {
  const byQueue = Map.groupBy(taken, ({ queue }) => queue);
  for (const [queue, group] of byQueue) await run(queue, group.map(({ job }) => job));
}
