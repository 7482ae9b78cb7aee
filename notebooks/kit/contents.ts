/** What is in the database that a notebook reads, in a sentence: the first thing to know about every figure after it. */
import type { Queryable } from "../../lib/database/port.ts";
import type { Displayable } from "./displayable.ts";
import { part, say } from "./say.ts";
import { count } from "./words.ts";

interface Contents {
  articles: number;
  analyses: number;
  sessions: number;
  calls: number;
  simulated: number;
  first_day: string | null;
  last_day: string | null;
}

const COUNT = `
SELECT (SELECT count(*) FROM articles) AS articles, (SELECT count(*) FROM article_analyses) AS analyses,
  (SELECT count(*) FROM batch_processing_sessions) AS sessions, count(*) AS calls,
  count(*) FILTER (WHERE simulated) AS simulated, min(day)::text AS first_day, max(day)::text AS last_day
FROM paid_calls`;

/** @param warning Told behind it; null: nothing to warn of. */
export async function describeContents(
  db: Queryable,
  where: string,
  warning: string | null,
): Promise<Displayable> {
  const warned = warning === null ? "" : part` **Note:** ${warning}.`;
  const { rows: [found] } = await db.query<Contents>(COUNT);
  const { articles = 0, analyses = 0, sessions = 0, calls = 0, simulated = 0 } = found ?? {};
  if (articles === 0) {
    return say`Reading **${where}**. It is empty: no articles have been taken in yet.${warned}`;
  }
  const kept = [
    count(articles, "article"),
    count(analyses, "analysis", "analyses"),
    count(sessions, "session"),
  ];
  const holds = `It holds ${kept.join(", ")}`;
  if (calls === 0) return say`Reading **${where}**. ${holds}; no call has been made yet.${warned}`;
  const [first, last] = [found?.first_day, found?.last_day];
  const days = first === last ? `on ${first}` : `from ${first} to ${last}`;
  const unpaid = simulated === 0 ? "" : `, ${count(simulated)} of them simulated and paid to nobody`;
  return say`Reading **${where}**. ${holds} and ${count(calls, "call")} ${days}${unpaid}.${warned}`;
}
