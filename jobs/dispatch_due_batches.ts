/**
 * The sweep: takes back what dead workers left, resumes sessions whose wait is over, and wakes the workers for all that
 * is due. Wake-ups that were lost, or that a process took along when it died, are made up for here.
 */
import { count } from "../lib/alerts/words.ts";
import { findDueSessions } from "../lib/batches/find_due.ts";
import { resumeDue } from "../lib/batches/resume_due.ts";
import { isProduction } from "../lib/deploy.ts";
import { type Job, refuseToSpend } from "./job.ts";

export const dispatchDueBatches: Job = async (context, { actor }) => {
  if (!isProduction(context.config)) return refuseToSpend(context);
  const { db, desk, wake } = context;
  const { requeued } = await desk.sweep(actor);
  const resumed = await resumeDue(db, actor);
  const due = await findDueSessions(db);
  await wake(due);
  const text = [
    resumed.length > 0 ? `Resumed session ${resumed.join(", ")}` : null,
    due.length > 0 ? `Work is due in session ${due.join(", ")}` : "Nothing is due",
    requeued > 0 ? `${count(requeued, "article")} of dead workers queued again` : null,
  ].filter((part) => part !== null).join("; ");
  return { text, detail: { resumed, due, requeued } };
};
