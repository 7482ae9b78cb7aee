/** Follows a session to its end. Ctrl-C pauses the session and says how to go on. */
import { describeReason } from "../reasons.ts";
import { isLive, type Session } from "../batches/types.ts";
import { isService } from "../batches/worker/presence.ts";
import { UserError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { ACTOR, type Context } from "./context.ts";
import { describeAlertLine } from "./describe_alerts.ts";
import { describeReturn, summarise } from "./describe_session.ts";
import type { ExitCode } from "./main.ts";
import { money, note, print, printJson } from "./output.ts";
import { type ProgressView, showBar, showLines } from "./progress_view.ts";

/** How often the database is asked, ms. */
const LOOK_MS = 250;
/** How long an interrupted command waits for answers that are already paid for, ms. */
const GRACE_MS = 15_000;
/** Alerts are looked at every so many looks. */
const LOOKS_AN_ALERT = 4;
const PAUSES: ReadonlySet<string> = new Set(["provider_refusing", "failing", "cannot_work"]);
/** A service that said nothing for this many looks is gone (presence lasts 10 s). */
const PATIENCE = 20;

/**
 * Resolves when the session has ended, or is paused until somebody resumes it; a pause that ends by itself is waited
 * for. The work is done here, unless a service lives that does it.
 */
export async function followSession(context: Context, number: number): Promise<Session> {
  const elsewhere = (await context.desk.workers()).some(isService);
  if (elsewhere) note("The service is running and does the work; this follows it.");
  let runtime = elsewhere ? null : await context.work();
  const view = Deno.stderr.isTerminal() ? showBar() : showLines();
  const interrupt = onInterrupt();
  const tellPause = createPauseTeller(view);
  const tellAlerts = createAlertTeller(context, number, view);
  let lonely = 0;
  try {
    while (true) {
      const progress = await context.desk.progress(number);
      const { session } = progress;
      tellPause(session);
      await tellAlerts();
      view.show(progress);
      if (!isLive(session.status) || session.status === "PAUSED" && session.resume_at === null) {
        return session;
      }
      if (interrupt.fired) {
        view.say(
          session.status === "PAUSED"
            ? "It stays paused."
            : "Pausing; answers that are already paid for are still taken in. Ctrl-C again to leave at once.",
        );
        return await pauseHere(context, number, runtime);
      }
      if (elsewhere && ++lonely % PATIENCE === 0 && (await context.desk.workers()).length === 0) {
        view.say("The service is gone; this command goes on in its place.");
        runtime = await context.work();
      }
      await interrupt.wait(LOOK_MS);
    }
  } finally {
    view.stop();
    interrupt.stop();
  }
}

/** Says once that a session waits for something, however often it is paused for that, and once that it is over. */
function createPauseTeller(view: ProgressView): (session: Session) => void {
  let told: string | null = null;
  return (session) => {
    const { status, reason, resume_at, resume_tries } = session;
    if (status === "PAUSED" && resume_at !== null && reason !== null && reason !== told) {
      told = reason;
      view.say(`Paused, ${describeReason(reason)}: it ${describeReturn(session)}. Ctrl-C leaves it paused.`);
    } else if (told !== null && status === "PROCESSING" && resume_tries === 0) {
      told = null;
      view.say("It goes on.");
    }
  };
}

/** Says once what lasts about the session; a pause has words of its own. */
function createAlertTeller({ desk }: Context, number: number, view: ProgressView): () => Promise<void> {
  const told = new Set<number>();
  let looks = 0;
  return async () => {
    if (looks++ % LOOKS_AN_ALERT !== 0) return;
    for (const alert of await desk.openAlerts()) {
      if (alert.number !== number || told.has(alert.alert_id) || PAUSES.has(alert.rule)) continue;
      told.add(alert.alert_id);
      view.say(describeAlertLine(alert));
    }
  };
}

/** @param runtime What does the work here; null when the service does. */
async function pauseHere({ desk }: Context, number: number, runtime: Runtime | null): Promise<Session> {
  try {
    await desk.pause(number, ACTOR);
  } catch (error) {
    // It may have ended between the last look and the signal; how it ended is then the answer.
    if (!(error instanceof UserError)) throw error;
  }
  await runtime?.stop(GRACE_MS);
  return (await desk.progress(number)).session;
}

/** Tells how it ended. COMPLETED is done; anything less is not, and a script should notice. */
export function tellEnd(session: Session, json: boolean | undefined): ExitCode {
  if (json) printJson(session);
  else print(sayHowItEnded(session));
  return session.status === "COMPLETED" || isLive(session.status) && session.status !== "PAUSED" ? 0 : 1;
}

/** What a person sees last: the result, and what can be done about what is missing. */
export function sayHowItEnded(session: Session): string {
  const { number, status, reason } = session;
  const lines = [summarise(session)];
  if (status === "PAUSED") lines.push(`Go on with: deno task desk resume ${number}`);
  if (status === "PARTIAL" && reason === "budget") {
    lines.push(`Finish it with more money: deno task desk recover ${number} --budget <usd>`);
  } else if (status === "PARTIAL" && reason === "day_budget") {
    lines.push(
      `Finish it tomorrow, or after deno task desk budget --day <usd>: deno task desk recover ${number}`,
    );
  } else if (session.failed > 0 && !isLive(status)) {
    lines.push(`Try the failed ones again: deno task desk recover ${number}`);
  }
  if (session.unknown > 0 && !isLive(status)) {
    lines.push(
      `${money(session.unknown, session.simulated)} of it is for calls that nobody knows the outcome of: ` +
        `deno task desk unknown ${number}`,
    );
  }
  return lines.join("\n");
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
