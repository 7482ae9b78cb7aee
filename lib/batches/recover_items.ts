/** Gives failed articles of a session new attempts, and articles skipped for money another chance once there is some. */
import { UserError } from "../errors.ts";
import type { Micros } from "../money.ts";
import type { Database, Queryable } from "../database/port.ts";
import { setBudget } from "./change_budget.ts";
import { lockSession, moveSession } from "./change_session.ts";
import { findRecoveries, rememberRecovery } from "./recovery_requests.ts";
import { describeLeft, type LeftOut, type Requeued, requeueItems } from "./requeue_items.ts";
import { assertNoneActive, findActive, lockActivation } from "./start_session.ts";
import { isLive, type Session } from "./types.ts";
import { renewWorstCases } from "./worst_cases.ts";

export interface RecoveryReport extends LeftOut, Pick<Requeued, "shortOf" | "needed"> {
  /** PROCESSING; PAUSED with reason "queued" behind another one; or as it was when nothing could be queued. */
  session: Session;
  requeuedFailed: number;
  requeuedSkipped: number;
}

export interface RecoveryOptions {
  /** Only what had its end by then: the same wish that arrives twice is granted once. */
  endedBefore?: Date | null;
  /** Names the wish: the same key recovers once and is answered alike, however often it is asked for. */
  requestKey?: string | null;
  /**
   * The most that an analysis of a text of so many UTF-8 bytes can cost in this session now. Null, or left out: this
   * process cannot say; then the worker that claims an article finds out.
   */
  worstCases?: (session: Session) => ((textBytes: number) => Micros) | null;
  now?: Date | null;
}

/**
 * @param budget The session's new cap; null leaves it. Throws `UserError` when it is below what is spent and held,
 * when the session is live, or when another one is active.
 */
export async function recoverSession(
  db: Database,
  sessionId: string,
  budget: Micros | null,
  actor: string,
  options: RecoveryOptions = {},
): Promise<RecoveryReport> {
  return await db.transaction(async (tx) => {
    await lockActivation(tx);
    const [answered] = options.requestKey ? await findRecoveries(tx, options.requestKey) : [];
    if (answered) return answered;
    const session = await lockSession(tx, sessionId);
    if (isLive(session.status)) {
      throw new UserError(
        `Cannot recover session ${session.number}: wanted one that has ended, it is ${session.status}. ` +
          (session.status === "PAUSED" ? "Resume it instead" : "It retries by itself"),
      );
    }
    const funded = budget === null ? session : await setBudget(tx, session, budget, actor);
    return await recoverEnded(tx, funded, actor, "refuse", options);
  });
}

/**
 * Needs the activation lock and the lock of a session that has ended.
 * @param whenBusy What to do while another session is active: refuse with a `UserError`, or queue behind it.
 */
export async function recoverEnded(
  tx: Queryable,
  session: Session,
  actor: string,
  whenBusy: "refuse" | "queue",
  { endedBefore = null, requestKey = null, worstCases, now = null }: RecoveryOptions,
): Promise<RecoveryReport> {
  const worstCaseOf = worstCases?.(session) ?? null;
  if (worstCaseOf) await renewWorstCases(tx, session.session_id, worstCaseOf);
  const report = await recoverLeft(tx, session, { actor, whenBusy, endedBefore, now });
  if (requestKey !== null) await rememberRecovery(tx, requestKey, report);
  return report;
}

async function recoverLeft(
  tx: Queryable,
  session: Session,
  { actor, whenBusy, endedBefore, now }: {
    actor: string;
    whenBusy: "refuse" | "queue";
    endedBefore: Date | null;
    now: Date | null;
  },
): Promise<RecoveryReport> {
  const { failed, skipped, shortOf, needed } = await requeueItems(tx, session, actor, endedBefore, now);
  const left = await describeLeft(tx, session.session_id, endedBefore);
  const report = { requeuedFailed: failed, requeuedSkipped: skipped, shortOf, needed, ...left };
  if (failed + skipped === 0) return { session, ...report };
  const detail = { requeued_failed: failed, requeued_skipped: skipped, budget: session.budget };
  return { session: await makeLive(tx, session, whenBusy, { actor, detail }), ...report };
}

/** One session is active at a time: behind another one this one waits, and resumes by itself when its turn comes. */
async function makeLive(
  tx: Queryable,
  session: Session,
  whenBusy: "refuse" | "queue",
  told: { actor: string; detail: Record<string, unknown> },
): Promise<Session> {
  const move = { ...told, action: "session_recovered" };
  if (whenBusy === "refuse") await assertNoneActive(tx, "recover");
  else if (await findActive(tx)) {
    return await moveSession(tx, session, "PAUSED", { ...move, reason: "queued", resumeAfterMs: 0 });
  }
  return await moveSession(tx, session, "PROCESSING", { ...move, reason: null });
}
