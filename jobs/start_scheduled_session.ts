/**
 * The session that starts by itself (SCHEDULE), when there is something to do and none is under way; says in the chats
 * what it did: of a session that starts, in the transaction that makes it. A slot starts one session, however often it is
 * run, as it is after a failure.
 */
import { type NewAlert, raiseAlert } from "../lib/alerts/raise.ts";
import type { AlertLevel } from "../lib/alerts/types.ts";
import { count, money, utcTime } from "../lib/alerts/words.ts";
import { describeReason } from "../lib/reasons.ts";
import { currentSession } from "../lib/batches/read_sessions.ts";
import { isLive, type Session } from "../lib/batches/types.ts";
import { readClock } from "../lib/crons/cron_rows.ts";
import { isProduction } from "../lib/deploy.ts";
import type { SessionEstimate } from "../lib/desk.ts";
import { UserError } from "../lib/errors.ts";
import { formatUsd } from "../lib/money.ts";
import { initiateBatchProcessing } from "./initiate_batch_processing.ts";
import { type Job, type JobContext, type JobRun, refuseToSpend } from "./job.ts";

/** A night that begins later than this is left out, ms: its session would run into the day. */
const GRACE_MS = 3_600_000;
const RULE = "scheduled_session" as const;

/** What came of it. */
interface Decision {
  level: AlertLevel;
  text: string;
  session: Session | null;
}

export const startScheduledSession: Job = async (context, run) => {
  if (!isProduction(context.config)) return refuseToSpend(context);
  const slot = run.slot?.toISOString() ?? null;
  const notice = describeNotice(slot, slot ?? `by hand ${crypto.randomUUID()}`);
  const decision = await decide(context, run, (session) => notice(tellStarted(session)));
  const alert = notice(decision);
  if (decision.session === null) await raiseAlert(context.db, alert);
  return { text: alert.text, detail: alert.detail };
};

/** @param subject The same for the same slot: it is told once. */
function describeNotice(slot: string | null, subject: string) {
  return ({ level, text, session }: Decision) => ({
    rule: RULE,
    subject,
    level,
    text,
    detail: {
      slot,
      started: session?.number ?? null,
      articles: session?.total ?? 0,
      expected: session?.estimated_cost ?? null,
      budget: session?.budget ?? null,
    },
    sessionId: session?.session_id,
  } satisfies NewAlert);
}

async function decide(
  context: JobContext,
  { actor, slot }: JobRun,
  notice: (session: Session) => NewAlert,
): Promise<Decision> {
  const { db, desk, config, scrub } = context;
  const key = slot ? `${RULE}:${slot.toISOString()}` : undefined;
  // The run that started it may have failed or died afterwards.
  const before = key ? await desk.requested(key) : null;
  if (before) return tellStarted(before);
  if (slot && (await readClock(db)).getTime() - slot.getTime() > GRACE_MS) {
    return refuse(`nothing ran at ${utcTime(slot)}`);
  }
  const current = await currentSession(db);
  if (current && isLive(current.status)) return refuse(describeObstacle(current));
  try {
    const request = { budget: config.batchBudget };
    const nothing = describeNothing(await desk.estimate(request));
    if (nothing) return nothing;
    return tellStarted(await initiateBatchProcessing(context, request, actor, { key, notice }));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return refuse(scrub(error.message));
  }
}

function tellStarted(session: Session): Decision {
  const { number, total, estimated_cost, budget, simulated } = session;
  const expected = money(estimated_cost, simulated);
  return {
    level: "info",
    text: `Nightly session ${number} started: ${count(total, "article")}, expected ${expected} of ${
      formatUsd(budget)
    }`,
    session,
  };
}

function refuse(why: string): Decision {
  return { level: "warning", text: `Nightly session not started: ${why}`, session: null };
}

function describeObstacle({ number, status, reason, analyzed, failed, skipped, total }: Session): string {
  if (status === "PAUSED") {
    return `session ${number} is PAUSED${reason === null ? "" : ` (${describeReason(reason)})`}`;
  }
  return `session ${number} is still at work, ${analyzed + failed + skipped} of ${total} articles done`;
}

/** Null: there is something to do, and money for it. */
function describeNothing({ articles, tooExpensive, budget, day, simulated, worstCases }: SessionEstimate) {
  if (articles === 0 && tooExpensive > 0) {
    return refuse(
      `at worst, each of the ${count(tooExpensive, "ready article")} costs more than the budget of ${
        formatUsd(budget)
      }`,
    );
  }
  if (articles === 0) {
    return { level: "info" as const, text: "Nightly session: nothing to do", session: null };
  }
  const least = Math.min(...worstCases);
  if (day && day.budget !== null && day.spent + day.held + least > day.budget) {
    return refuse(
      `the day's budget is used up, ${money(day.spent, simulated)} of ${formatUsd(day.budget)}`,
    );
  }
  return null;
}
