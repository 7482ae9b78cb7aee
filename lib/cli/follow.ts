/** Follows a session to its end: a bar on a terminal, lines elsewhere. Ctrl-C pauses the session and says how to go on. */
import { Presets, SingleBar } from "cli-progress";
import process from "node:process";
import type { Progress } from "../batches/read_sessions.ts";
import { isLive, type Session } from "../batches/types.ts";
import { UserError } from "../errors.ts";
import { formatUsd } from "../money.ts";
import type { Runtime } from "../runtime.ts";
import { ACTOR, type Context } from "./context.ts";
import { describeProgress, summarise } from "./describe_session.ts";
import { duration, note } from "./output.ts";

/** How often the database is asked, ms. */
const LOOK_MS = 250;
/** Without a terminal a line is printed this often at most, ms. */
const LINE_MS = 2_000;
/** How long an interrupted command waits for answers that are already paid for, ms. */
const GRACE_MS = 15_000;
/** … and while nothing is done, only this often, ms. */
const QUIET_LINE_MS = 30_000;
/** A service that said nothing for this many looks is gone (presence lasts 10 s). */
const PATIENCE = 20;

/**
 * Resolves when the session has ended or was paused. The work is done here, unless a service lives that does it.
 */
export async function followSession(context: Context, number: number): Promise<Session> {
  const elsewhere = (await context.desk.workers()).some((worker) => worker.role === "service");
  if (elsewhere) note("The service is running and does the work; this follows it.");
  let runtime = elsewhere ? null : await context.work();
  const view = Deno.stderr.isTerminal() ? showBar() : showLines();
  const interrupt = onInterrupt();
  let lonely = 0;
  try {
    while (true) {
      const progress = await context.desk.progress(number);
      view.show(progress);
      if (!isLive(progress.session.status) || progress.session.status === "PAUSED") return progress.session;
      if (interrupt.fired) {
        // The bar draws over its line once more when it stops: what follows must come after that.
        view.stop();
        return await pauseHere(context, number, runtime);
      }
      if (elsewhere && ++lonely % PATIENCE === 0 && (await context.desk.workers()).length === 0) {
        note("The service is gone; this command goes on in its place.");
        runtime = await context.work();
      }
      await interrupt.wait(LOOK_MS);
    }
  } finally {
    view.stop();
    interrupt.stop();
  }
}

/** @param runtime What does the work here; null when the service does. */
async function pauseHere({ desk }: Context, number: number, runtime: Runtime | null): Promise<Session> {
  note("Pausing; answers that are already paid for are still taken in. Ctrl-C again to leave at once.");
  try {
    await desk.pause(number, ACTOR);
  } catch (error) {
    // It may have ended between the last look and the signal; how it ended is then the answer.
    if (!(error instanceof UserError)) throw error;
  }
  await runtime?.stop(GRACE_MS);
  return (await desk.progress(number)).session;
}

/** What a person sees last: the result, and what can be done about what is missing. */
export function sayHowItEnded(session: Session): string {
  const lines = [summarise(session)];
  if (session.status === "PAUSED") lines.push(`Go on with: deno task desk resume ${session.number}`);
  if (session.status === "PARTIAL" && (session.reason === "budget" || session.reason === "day_budget")) {
    lines.push(`Finish it with more money: deno task desk recover ${session.number} --budget <usd>`);
  } else if (session.failed > 0 && !isLive(session.status)) {
    lines.push(`Try the failed ones again: deno task desk recover ${session.number}`);
  }
  return lines.join("\n");
}

interface View {
  show(progress: Progress): void;
  stop(): void;
}

function showBar(): View {
  const bar = new SingleBar({
    format: "{bar} {value}/{total} articles · {money} · {pace}",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: false,
    barsize: 24,
    etaBuffer: 1,
  }, Presets.shades_classic);
  let started = false;
  return {
    show(progress) {
      const { session, done, perMinute, etaMs, nextDueMs } = progress;
      const payload = {
        money: `${formatUsd(session.spent)}/${formatUsd(session.budget)}${
          session.simulated ? " simulated" : ""
        }`,
        pace: [
          perMinute ? `${Math.round(perMinute)}/min` : "starting",
          etaMs !== null && done < session.total ? `${duration(etaMs)} left` : null,
          `${session.failed} failed`,
          nextDueMs !== null ? `next in ${duration(nextDueMs)}` : null,
        ].filter((part) => part !== null).join(" · "),
      };
      if (!started) bar.start(session.total, done, payload);
      else bar.update(done, payload);
      started = true;
    },
    stop() {
      if (started) bar.stop();
      started = false;
    },
  };
}

function showLines(): View {
  let lastDone = -1;
  let at = -Infinity;
  return {
    show(progress) {
      const { done, session } = progress;
      const pause = performance.now() - at;
      const news = done !== lastDone && (pause >= LINE_MS || !isLive(session.status));
      if (!news && pause < QUIET_LINE_MS) return;
      lastDone = done;
      at = performance.now();
      note(describeProgress(progress));
    },
    stop() {},
  };
}

/** The first Ctrl-C (or SIGTERM) is a wish, the second one an order. */
function onInterrupt() {
  let wake = () => {};
  const state = {
    fired: false,
    wait: (ms: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    stop() {
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, listener);
    },
  };
  let firstAt = 0;
  const listener = () => {
    // A task runner in the same terminal passes the signal on: the same key press then arrives twice.
    if (state.fired && performance.now() - firstAt > SAME_PRESS_MS) Deno.exit(130);
    if (!state.fired) firstAt = performance.now();
    state.fired = true;
    wake();
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, listener);
  return state;
}

const SAME_PRESS_MS = 1_000;
const SIGNALS: Deno.Signal[] = ["SIGINT", "SIGTERM"];
