/**
 * All that a notebook needs, in one import:
 *
 *     import { chart, desk, query, say, show, table, usd } from "./desk.ts";
 *
 * Importing it connects, read-only: to the server of DATABASE_URL, else to the embedded database in DATA_DIR (through
 * the process that serves it, or as a copy), else to a fixture that makes itself. It reads no keys and can neither
 * spend nor write.
 */
import { openDesk } from "./kit/open_desk.ts";

/** What is read here. As the last line of a cell it says so. */
export const desk = await openDesk();
/** Runs one statement that reads: `await query<{ n: number }>("SELECT count(*) AS n FROM articles")`. */
export const query = desk.query;

export { chart } from "./kit/chart.ts";
export { type Displayable, show } from "./kit/displayable.ts";
export { lines, link, quote } from "./kit/html.ts";
export { code, missing, part, points, say } from "./kit/say.ts";
export { type Columns, table } from "./kit/table.ts";
export {
  change,
  clock,
  count,
  day,
  fineUsd,
  meanUsd,
  median,
  percent,
  quantile,
  seconds,
  sum,
  time,
  usd,
  used,
} from "./kit/words.ts";
export * from "../lib/charts/charts.ts";
export { ZERO } from "../lib/money.ts";

/** Typed answers to the questions of the notebooks; each takes `desk.db` first. */
export * as articleCosts from "./questions/article_costs.ts";
export * as costs from "./questions/costs.ts";
export * as lifecycle from "./questions/lifecycle.ts";
export * as modelReplay from "./questions/model_costs.ts";
export { chooseScope, type Scope } from "./questions/scope.ts";
export * as sessionTime from "./questions/session_time.ts";
export { chooseSession } from "./questions/sessions.ts";
export * as sessions from "./questions/sessions.ts";
export * as signals from "./questions/signals.ts";
