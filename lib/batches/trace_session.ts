/** The spans of a session that has ended: itself and its batches, with their real times. */
import type { Queryable } from "../database/port.ts";
import { afterCommit } from "../database/after_commit.ts";
import { isTracing, type PastSpan, tracePast } from "../trace.ts";
import { listBatches } from "./read_batches.ts";
import type { Session } from "./types.ts";

/** No trace viewer shows more, and a session of 100,000 articles has ten times as many. */
const MOST_BATCHES = 1_000;

/** Tells of it when the transaction that ends it has committed. Costs nothing unless somebody takes spans. */
export async function traceSession(tx: Queryable, session: Session): Promise<void> {
  if (!isTracing()) return;
  const { number, status, reason, model, provider, simulated } = session;
  const to = session.finished_at ?? new Date();
  const batches = await listBatches(tx, session.session_id, { limit: MOST_BATCHES });
  const span: PastSpan = {
    name: "nightdesk session",
    from: session.started_at ?? session.created_at,
    to,
    attributes: {
      "nightdesk.session": number,
      "nightdesk.status": status,
      ...(reason ? { "nightdesk.reason": reason } : {}),
      "nightdesk.provider": provider,
      "nightdesk.model": model,
      "nightdesk.simulated": simulated,
      "nightdesk.articles.total": session.total,
      "nightdesk.articles.analyzed": session.analyzed,
      "nightdesk.articles.failed": session.failed,
      "nightdesk.articles.skipped": session.skipped,
      "nightdesk.budget_microdollars": session.budget,
      "nightdesk.spent_microdollars": session.spent,
    },
    children: batches.flatMap((batch) =>
      batch.started_at === null ? [] : [{
        name: "nightdesk batch",
        from: batch.started_at,
        to: batch.finished_at ?? to,
        attributes: {
          "nightdesk.session": number,
          "nightdesk.batch": batch.batch_number,
          "nightdesk.status": batch.status,
          "nightdesk.articles.total": batch.total,
          "nightdesk.articles.analyzed": batch.processed,
          "nightdesk.articles.failed": batch.failed,
          "nightdesk.spent_microdollars": batch.actual_cost,
        },
      }]
    ),
  };
  afterCommit(tx, () => tracePast(span));
}
