/** What the small editions of the breakers, run with every test, have in common: few articles and short waits. */
import { ROUGH, type TroubleMix } from "../fakes/trouble.ts";

/** Without the answer that keeps a whole process waiting for half a minute. */
export const SMALL_MIX: TroubleMix = { ...ROUGH, turned_away: 0 };

export const SMALL_SETTINGS = {
  BATCH_BUDGET_USD: "10",
  BATCH_DELAY_SECONDS: "0",
  MAX_ATTEMPTS: "12",
  RETRY_BASE_SECONDS: "0.05",
  ARTICLE_TIMEOUT_SECONDS: "2",
  CONCURRENCY: "4",
  RESEARCH: "top",
};

export const SMALL_STAGE = {
  folder: null,
  mix: SMALL_MIX,
  settings: SMALL_SETTINGS,
  say() {},
};
