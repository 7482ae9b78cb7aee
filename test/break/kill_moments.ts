/**
 * When a service is killed: at any moment of its start or of the seconds after it, or close to a request, where most is
 * at stake. What comes after the start is counted from its end: on a busy machine every kill would hit the start else.
 */
import type { SeenRequest, UnreliableProviders } from "../fakes/unreliable_providers.ts";
import type { ServiceRun } from "./service_run.ts";

export type KillMoment =
  /** Counted from the start of the process, or from when it is ready. */
  | { how: "start"; afterMs: number }
  | { how: "ready"; afterMs: number }
  /** `plusMs` after its nth request arrived, or after the answer to it left. */
  | { how: "request" | "answer"; nth: number; plusMs: number };

/** The longest that a service lives when it is killed by the clock, ms. */
const LONGEST_LIFE_MS = 3_000;
/** A service that is ready and does not send as many requests is killed all the same, ms. */
const PATIENCE_MS = 5_000;

export function drawKillMoment(random: () => number): KillMoment {
  const how = random();
  if (how < 0.6) return { how: how < 0.25 ? "start" : "ready", afterMs: random() * LONGEST_LIFE_MS };
  return {
    how: how < 0.75 ? "request" : "answer",
    nth: 1 + Math.floor(random() * 8),
    // Writing an answer takes a few ms: this hits before, inside and behind it.
    plusMs: random() * 15,
  };
}

export async function waitForMoment(
  moment: KillMoment,
  run: ServiceRun,
  providers: UnreliableProviders,
): Promise<void> {
  const ended = run.ended.then(() => {});
  if (moment.how === "start" || moment.how === "ready") {
    const { how, afterMs } = moment;
    return await Promise.race([
      how === "start" ? sleep(afterMs) : run.ready.then(() => sleep(afterMs)),
      ended,
    ]);
  }
  const request = await Promise.race([
    waitForRequest(moment.nth, moment.how, run, providers),
    run.ready.then(() => sleep(PATIENCE_MS)),
    ended,
  ]);
  if (!request) return;
  const at = moment.how === "request" ? request.arrivedAt : request.answersAt;
  await sleep(Math.max(0, at - Date.now()) + moment.plusMs);
}

function waitForRequest(
  nth: number,
  how: "request" | "answer",
  run: ServiceRun,
  providers: UnreliableProviders,
): Promise<SeenRequest> {
  return new Promise((resolve) => {
    let left = nth;
    const stop = providers.onArrival((request) => {
      if (request.door !== run.name || (how === "answer" && request.answersAt === Infinity)) return;
      if (--left > 0) return;
      stop();
      resolve(request);
    });
    void run.ended.then(stop);
  });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
