/** Rows of the desk as the API shows them: names in snake_case, times as text, nothing internal. */
import type { z } from "@hono/zod-openapi";
import type { Alert } from "../alerts/types.ts";
import type { BatchRow } from "../batches/read_batches.ts";
import type { Progress } from "../batches/read_sessions.ts";
import type { RecoveryReport } from "../batches/recover_items.ts";
import type { Session } from "../batches/types.ts";
import type { CostReport } from "../budget/costs.ts";
import type { PresentProcess } from "../batches/worker/presence.ts";
import type {
  alertSchema,
  batchSchema,
  progressSchema,
  recoverySchema,
  sessionSchema,
  workerSchema,
} from "./schemas.ts";

const text = (time: Date | null): string | null => time?.toISOString() ?? null;

export function presentSession(session: Session): z.infer<typeof sessionSchema> {
  return {
    number: session.number,
    status: session.status,
    reason: session.reason,
    provider: session.provider,
    model: session.model,
    simulated: session.simulated,
    budget: session.budget,
    spent: session.spent,
    held: session.held,
    unknown: session.unknown,
    overrun: session.overrun,
    estimated_cost: session.estimated_cost,
    total: session.total,
    analyzed: session.analyzed,
    failed: session.failed,
    skipped: session.skipped,
    retries: session.retries,
    started_by: session.started_by,
    created_at: session.created_at.toISOString(),
    started_at: text(session.started_at),
    finished_at: text(session.finished_at),
    resume_at: text(session.resume_at),
  };
}

export function presentBatch(batch: BatchRow): z.infer<typeof batchSchema> {
  return { ...batch, started_at: text(batch.started_at), finished_at: text(batch.finished_at) };
}

export function presentProgress(progress: Progress): z.infer<typeof progressSchema> {
  return {
    session: presentSession(progress.session),
    done: progress.done,
    processing: progress.processing,
    per_minute: progress.perMinute,
    eta_ms: progress.etaMs,
    projected: progress.projected,
    next_due_ms: progress.nextDueMs,
  };
}

export function presentRecovery(report: RecoveryReport): z.infer<typeof recoverySchema> {
  return {
    session: presentSession(report.session),
    requeued_failed: report.requeuedFailed,
    requeued_skipped: report.requeuedSkipped,
    permanent: report.permanent,
    exhausted: report.exhausted,
    elsewhere: report.elsewhere,
    without_budget: report.withoutBudget,
  };
}

export function presentCosts({ days, total, byDay, byUse }: CostReport) {
  return { days, total, by_day: byDay, by_use: byUse };
}

/** Whether an alert is told in a session's stream and on its page: its own, and those of the desk as a whole. */
export function concerns({ number }: Alert, session: number): boolean {
  return number === null || number === session;
}

export function presentAlert(alert: Alert): z.infer<typeof alertSchema> {
  return {
    alert_id: alert.alert_id,
    session: alert.number,
    rule: alert.rule,
    level: alert.level,
    text: alert.text,
    lasting: alert.lasting,
    created_at: alert.created_at.toISOString(),
    acknowledged_at: text(alert.acknowledged_at),
    resolved_at: text(alert.resolved_at),
    resolution: alert.resolution,
  };
}

export function presentWorker(worker: PresentProcess): z.infer<typeof workerSchema> {
  return { ...worker, started_at: worker.started_at.toISOString(), seen_at: worker.seen_at.toISOString() };
}
