/** Research without a network: it finds nothing, and says so, rather than invent a source. */
import type { Researcher } from "../port.ts";
import type { Micros } from "../../money.ts";

/** Credits a basic search costs at Tavily; charged here in simulation only. */
const CREDITS_PER_SEARCH = 1;

/** `creditPrice` prices the simulated credit. With no sources, research ends as INSUFFICIENT_DATA. */
export function createOfflineResearcher({ creditPrice }: { creditPrice: Micros }): Researcher {
  return {
    provider: "offline",
    simulated: true,
    boundCredits: CREDITS_PER_SEARCH,
    creditPrice,
    search: (_query, signal) =>
      Promise.resolve(
        signal.aborted
          ? {
            ok: false,
            credits: 0,
            failure: "timed_out",
            action: "retry",
            billing: "NOT_BILLED",
            message: "Stopped before the search.",
          }
          : { ok: true, credits: CREDITS_PER_SEARCH, sources: [] },
      ),
  };
}
