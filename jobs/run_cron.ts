/** Runs a cron's due slot in this process, unless another process has it. */
import {
  endSlot,
  readClock,
  releaseSlot,
  renewSlot,
  type TakenSlot,
  takeSlot,
} from "../lib/crons/cron_rows.ts";
import { newestSlot, nextSlot } from "../lib/crons/slots.ts";
import type { Database } from "../lib/database/port.ts";
import { messageOf } from "../lib/errors.ts";

/** How often a run says that it lives, ms. */
const BEAT_MS = 10_000;
/** An error is kept this long, in characters: enough to know where to look. */
const ERROR_CHARS = 500;

export interface Cron {
  job: string;
  /** Five cron fields in UTC; null: off. */
  schedule: string | null;
  /** A run that takes longer has failed; its job is told by the signal. ms */
  limitMs: number;
}

export type CronOutcome<T> =
  /** No slot is due, or another process has it, or a run is still going. */
  | { outcome: "nothing" }
  | { outcome: "done"; slot: Date; result: T }
  | { outcome: "failed"; slot: Date; error: string }
  /** The process ends: another one may take the slot again. */
  | { outcome: "stopped"; slot: Date };

export interface RunCronOptions {
  /** Names this process. */
  runner: string;
  /** Cuts secrets out of an error before it is stored. */
  scrub: (text: string) => string;
  /** Ends the run when the process does. */
  signal: AbortSignal;
  /** The database's clock unless a test says otherwise. */
  now?: Date;
  /** @default 10 s */
  beatMs?: number;
}

/**
 * Takes the newest slot, however late, and runs it; what an old slot still means is for the job to say. Never throws
 * what the job throws: a failure is recorded, and the same slot is taken again after a while, a few times at most. Rejects
 * when the database cannot be asked.
 */
export async function runCron<T>(
  db: Database,
  cron: Cron,
  run: (slot: Date, signal: AbortSignal) => Promise<T>,
  options: RunCronOptions,
): Promise<CronOutcome<T>> {
  const { runner, now } = options;
  const { job, schedule } = cron;
  const slot = schedule === null ? null : newestSlot(schedule, now ?? await readClock(db));
  if (schedule === null || slot === null) return { outcome: "nothing" };
  const taken: TakenSlot = { job, slot, runner };
  if (!await takeSlot(db, { ...taken, schedule, now })) return { outcome: "nothing" };
  const outcome = await keepGoing(db, taken, cron, run, options).then(
    (result) => ({ outcome: "done" as const, slot, result }),
    (thrown) => describeFailure(thrown, slot, options),
  );
  if (outcome.outcome === "stopped") await releaseSlot(db, taken);
  else {
    const error = outcome.outcome === "failed" ? outcome.error : null;
    await endSlot(db, taken, { error, nextSlot: nextSlot(schedule, slot), now });
  }
  return outcome;
}

function describeFailure(thrown: unknown, slot: Date, { scrub, signal }: RunCronOptions) {
  if (signal.aborted) return { outcome: "stopped" as const, slot };
  const error = scrub(messageOf(thrown)).replaceAll(/\s+/g, " ").trim().slice(0, ERROR_CHARS);
  return { outcome: "failed" as const, slot, error: error || "failed without saying why" };
}

/** Runs it under a lease that is renewed, until it ends, takes too long, loses the slot or the process ends. */
async function keepGoing<T>(
  db: Database,
  taken: TakenSlot,
  { limitMs }: Cron,
  run: (slot: Date, signal: AbortSignal) => Promise<T>,
  options: RunCronOptions,
): Promise<T> {
  const given = new AbortController();
  const giveUp = (why: string) => given.abort(new Error(why));
  const limit = setTimeout(() => giveUp(`took longer than ${limitMs / 1_000} s and was given up`), limitMs);
  const stopped = () => giveUp("the process was stopped while it ran");
  // A database that is away is waited out: the lease may hold until it is back.
  const beat = setInterval(() => {
    renewSlot(db, taken).then((ours) => ours || giveUp("another process has taken its place"), () => {});
  }, options.beatMs ?? BEAT_MS);
  options.signal.addEventListener("abort", stopped, { once: true });
  if (options.signal.aborted) stopped();
  try {
    given.signal.throwIfAborted();
    return await Promise.race([run(taken.slot, given.signal), rejectOnAbort(given.signal)]);
  } finally {
    clearTimeout(limit);
    clearInterval(beat);
    options.signal.removeEventListener("abort", stopped);
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
