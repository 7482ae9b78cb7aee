/** One life of a service: when it was born, ready and gone, and what it said. */
import { type RunningProcess, startDesk, startService } from "../helpers/process.ts";

export interface ServiceRun {
  /** The door of its requests. */
  name: string;
  pid: number;
  /** ms since 1970. */
  startedAt: number;
  readyAt: number | null;
  endedAt: number | null;
  /** Who it is in the audit trail, when somebody asked; else its times tell. */
  workerId: string | null;
  /** Resolves when it is ready, or to false when it ended before. */
  ready: Promise<boolean>;
  /** Resolves to its exit code; a signal counts as 128 and its number. */
  ended: Promise<number>;
  signal(signal: Deno.Signal): void;
  /** Its log so far, one line an entry. */
  lines: string[];
}

const READY = /"msg":"ready"/;

export function startServiceRun(name: string, env: Record<string, string>): ServiceRun {
  const run = watch(name, startService(env));
  run.ready = run.ready.then((ready) => {
    if (ready) run.readyAt = Date.now();
    return ready;
  });
  return run;
}

/** A desk command, which works off sessions too when no service does. */
export function startDeskRun(name: string, args: readonly string[], env: Record<string, string>): ServiceRun {
  return watch(name, startDesk(args, env));
}

function watch(name: string, process: RunningProcess): ServiceRun {
  const run: ServiceRun = {
    name,
    pid: process.pid,
    startedAt: Date.now(),
    readyAt: null,
    endedAt: null,
    workerId: null,
    ready: process.printed(READY).then(() => true, () => false),
    ended: process.ended.then(({ code, stderr }) => {
      run.endedAt = Date.now();
      run.lines = stderr.split("\n").filter((line) => line !== "");
      return code;
    }),
    signal(signal) {
      try {
        process.kill(signal);
      } catch (error) {
        // It has ended by itself, a moment before that is known here.
        if (!(error instanceof TypeError)) throw error;
      }
    },
    lines: [],
  };
  return run;
}
