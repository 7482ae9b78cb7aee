/** How much of the evidence stands in the articles: for the rule about it, and for whoever looks at a session. */

/** Analyses, newest first, over which quotes are counted: reading jsonb of a whole large session would take seconds. */
const QUOTE_SAMPLE = 200;

/** Quotes kept and dropped in the newest analyses of a session; lib/analysis/ground.ts says which are checked. */
export function countQuotes(sessionId: string): string {
  return `SELECT coalesce(sum(a.ungrounded), 0) AS dropped,
    coalesce(sum((SELECT sum(jsonb_array_length(w -> 'evidence')) FROM jsonb_array_elements(a.weak_signals) w)), 0)
      ::bigint AS kept
  FROM (SELECT ungrounded, weak_signals FROM article_analyses WHERE session_id = ${sessionId}
    ORDER BY analysis_id DESC LIMIT ${QUOTE_SAMPLE}) a`;
}
