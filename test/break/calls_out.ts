/** Which calls wait for their answer at a moment. */
import type { SeenRequest } from "../fakes/unreliable_providers.ts";

/** ARTICLE_TIMEOUT_SECONDS of every breaker: nobody waits longer for an answer that never comes. */
export const ARTICLE_TIMEOUT_S = 12;

/** @param at ms since 1970. */
export function listCallsOut(requests: readonly SeenRequest[], at: number): SeenRequest[] {
  return requests.filter(({ arrivedAt, answersAt }) =>
    arrivedAt <= at && answersAt > at && at - arrivedAt < ARTICLE_TIMEOUT_S * 1000
  );
}
