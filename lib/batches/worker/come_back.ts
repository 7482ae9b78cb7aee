/** When a session that a provider stopped goes on by itself, and when it stays for a person. */
import { BREAKER_TIMING } from "../../analysis/breaker/breaker.ts";
import { doublingMs } from "../../analysis/breaker/doubling.ts";
import type { Failure } from "../../analysis/port.ts";
import type { ComeBack } from "../change_session.ts";

interface Doubling {
  firstMs: number;
  longestMs: number;
}

export interface TroubleTiming {
  /** Pauses while a provider is out of order. */
  outage: Doubling;
  /** Pauses while a provider says nothing but "come back later". */
  rateLimit: Doubling;
  /** Nothing but "come back later" for this long pauses the session, ms. */
  patienceMs: number;
  /** A told wait up to this is waited for with the session at work, a longer one is a pause, ms. */
  longestWaitMs: number;
  /** After pauses of this length in total a person must look, ms. */
  giveUpMs: number;
  /** As `giveUpMs`, when each try may cost its whole hold because nobody knows how it ended. */
  chargedTries: number;
  /** Days on which a daily quota is tried. */
  quotaTries: number;
}

/**
 * The outage's figures are the breaker's: the session comes back when that would try. A day of it is not a passing
 * trouble any more; and ten tries without an answer cost ten holds (about $0.04), which is enough for a network that
 * swallows requests.
 */
export const TROUBLE_TIMING: TroubleTiming = {
  outage: { firstMs: BREAKER_TIMING.firstOpenMs, longestMs: BREAKER_TIMING.longestOpenMs },
  rateLimit: { firstMs: 5 * 60_000, longestMs: 60 * 60_000 },
  patienceMs: 10 * 60_000,
  longestWaitMs: 5 * 60_000,
  giveUpMs: 24 * 60 * 60_000,
  chargedTries: 10,
  quotaTries: 7,
};

/** Never: a person must resume it. */
export const STAYS: ComeBack = () => null;

/** @param failure What showed that the provider is out of order; `waitMs`: until its breaker lets a try through. */
export function afterOutage(timing: TroubleTiming, failure: Pick<Failure, "billing" | "waitMs">): ComeBack {
  const most = failure.billing === "NOT_BILLED" ? Infinity : timing.chargedTries;
  return (tries) => tries >= most ? null : growingWait(timing.outage, timing.giveUpMs, failure.waitMs, tries);
}

/** @param toldMs What the provider asked for. */
export function afterRateLimit(timing: TroubleTiming, toldMs: number): ComeBack {
  return (tries) => growingWait(timing.rateLimit, timing.giveUpMs, toldMs, tries);
}

/** @param waitMs Until the provider's next day. */
export function afterQuota(timing: TroubleTiming, waitMs: number): ComeBack {
  return (tries) => tries >= timing.quotaTries ? null : waitMs;
}

function growingWait(
  { firstMs, longestMs }: Doubling,
  giveUpMs: number,
  leastMs = 0,
  tries: number,
): number | null {
  let waited = 0;
  for (let earlier = 0; earlier < tries; earlier++) waited += doublingMs(firstMs, longestMs, earlier);
  return waited >= giveUpMs ? null : Math.max(leastMs, doublingMs(firstMs, longestMs, tries));
}
