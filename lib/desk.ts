/**
 * The desk: every operator action and every read, once. Bot, web, terminal and notebooks call it and add nothing but
 * their own way of showing.
 */
import type { Analysts } from "./analysis/make_analyst.ts";
import { type IdentificationReport, reportIdentification } from "./articles/identifier.ts";
import { type FeedState, listFeeds } from "./articles/feed_rows.ts";
import { tryAgain } from "./articles/try_again.ts";
import { showArticle, type ShownArticle } from "./articles/show_article.ts";
import type { IngestReport } from "./articles/types.ts";
import { changeBudget } from "./batches/change_budget.ts";
import { cancelSession, pauseSession, resumeSession } from "./batches/change_session.ts";
import { cleanUp, type CleanupReport, sweep, type SweepReport } from "./batches/clean_up.ts";
import {
  countFailures,
  currentSession,
  type FailureCount,
  findSession,
  listSessions,
  type Progress,
  readProgress,
} from "./batches/read_sessions.ts";
import {
  type BatchesAtWork,
  type BatchPage,
  type BatchRow,
  listBatches,
  readBatchesAtWork,
} from "./batches/read_batches.ts";
import { type ItemPage, listItems, type SessionArticle } from "./batches/read_items.ts";
import { listEvents, type TrailEvent, type TrailPage } from "./batches/read_events.ts";
import { readTimeline, type TimelineStep } from "./batches/read_timeline.ts";
import { OutageGrace } from "./batches/outage_grace.ts";
import { findRecoveries } from "./batches/recovery_requests.ts";
import { recoverSession, type RecoveryReport } from "./batches/recover_items.ts";
import { RECENT_DAYS, recoverRecent } from "./batches/recover_recent.ts";
import {
  type ResolvedUnknown,
  resolveUnknown,
  type UnknownSelection,
  type UnknownVerdict,
} from "./batches/resolve_unknown.ts";
import { findRequested, type StartedSession, startSession, type StartWish } from "./batches/start_session.ts";
import type { Session } from "./batches/types.ts";
import { isWorker, listProcesses, type PresentProcess } from "./batches/worker/presence.ts";
import { type Budgets, readBudgets } from "./budget/budgets.ts";
import { changeDayCap, type DayCapChange } from "./budget/changed_settings.ts";
import { type CostReport, readCosts } from "./budget/costs.ts";
import { type DayBudget, ensureDay } from "./budget/ledger/day_budget.ts";
import { listUnknown, type UnknownCall } from "./budget/ledger/list_unknown.ts";
import type { Config } from "./config.ts";
import { type CronState, readCrons } from "./crons/read_crons.ts";
import type { Database } from "./database/port.ts";
import { NotFoundError, UserError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Micros } from "./money.ts";
import { type AlertDesk, createAlertDesk } from "./desk_alerts.ts";
import {
  findWorstCases,
  planSession,
  rulesFor,
  type SessionEstimate,
  type SessionRequest,
} from "./plan_session.ts";

export type { MonitorReport } from "./desk_alerts.ts";
export type { SessionEstimate, SessionRequest } from "./plan_session.ts";

export interface SessionDetail extends Progress, BatchesAtWork {
  failures: FailureCount[];
}

export interface IngestOptions {
  signal?: AbortSignal;
  onProgress?: (report: IngestReport) => void;
}

export interface Desk extends AlertDesk {
  /** Of one of FEEDS it is remembered how it went, and only what is new is asked for. */
  ingest(location: string, options?: IngestOptions): Promise<IngestReport>;
  /** The feeds of FEEDS, read or not. */
  feeds(): Promise<FeedState[]>;
  /** The crons as the service that started last set them; none before the first one. */
  crons(): Promise<CronState[]>;
  articles(examples?: number): Promise<IdentificationReport>;
  /** Articles that were given up are tried again: all with null. Returns which had been. */
  tryAgain(articleIds: readonly number[] | null, actor: string): Promise<number[]>;
  estimate(request: SessionRequest): Promise<SessionEstimate>;
  /**
   * @param wish A key that names it, so that repeating it starts one session, and what people are told of the start.
   * Throws `ReusedKeyError` when the key has named another wish.
   */
  start(
    request: SessionRequest,
    actor: string,
    wish?: StartWish,
  ): Promise<StartedSession>;
  /** The session that was started with this key; null: none yet. */
  requested(requestKey: string): Promise<Session | null>;
  /** The session with this number, or the current one. Throws `UserError` when there is none. */
  session(number: number | null): Promise<SessionDetail>;
  progress(number: number): Promise<Progress>;
  /** Of the session that is live, else of the newest; null: there is none yet. */
  current(): Promise<Progress | null>;
  /** Newest first; `before`: only those with a smaller number. */
  sessions(limit: number, before?: number): Promise<Session[]>;
  /** All batches of a session, a page at a time. */
  batches(number: number, page: BatchPage): Promise<BatchRow[]>;
  /** The articles of a session, a page at a time. */
  items(number: number, page: ItemPage): Promise<SessionArticle[]>;
  /** The audit trail of a session, a page at a time. */
  events(number: number, page: TrailPage): Promise<TrailEvent[]>;
  timeline(number: number): Promise<TimelineStep[]>;
  pause(number: number, actor: string): Promise<Session>;
  resume(number: number, actor: string): Promise<Session>;
  cancel(number: number, actor: string): Promise<Session>;
  /**
   * Without a number: the newest session that ended with something missing.
   * @param endedBefore Only articles that had their end by then: the same wish that comes twice is granted once.
   * @param requestKey Names the wish: the same key recovers once, and is answered alike however often it is asked for.
   */
  recover(
    number: number | null,
    budget: Micros | null,
    actor: string,
    endedBefore?: Date,
    requestKey?: string,
  ): Promise<RecoveryReport>;
  /** Every session that ended short in the last days (7 unless given), oldest first; they work one after another. */
  recoverRecent(
    actor: string,
    days?: number,
    endedBefore?: Date,
    requestKey?: string,
  ): Promise<RecoveryReport[]>;
  /** Calls whose outcome nobody knows, of one session or of all. */
  unknownCalls(number: number | null): Promise<UnknownCall[]>;
  /** An operator's word on them. What was said before stays. */
  resolveUnknown(which: UnknownSelection, verdict: UnknownVerdict, actor: string): Promise<ResolvedUnknown>;
  budgets(): Promise<Budgets>;
  changeBudget(number: number, budget: Micros, actor: string): Promise<Session>;
  /** For today and every later day, in every process. Null: no cap; "configured": what DAY_BUDGET_USD says. */
  changeDayBudget(change: DayCapChange, actor: string): Promise<DayBudget>;
  /** Takes back what dead workers left and ends what is finished. Cheap: made every few seconds. */
  sweep(actor: string): Promise<SweepReport>;
  /** All of it: the sweep, sums that do not add up, sessions that cannot move, old rows. */
  cleanup(actor: string, reach?: "recent" | "all"): Promise<CleanupReport>;
  costs(days: number): Promise<CostReport>;
  show(articleId: number): Promise<ShownArticle>;
  workers(): Promise<PresentProcess[]>;
  /** Every process of the desk that lives, also those that only serve pages. */
  processes(): Promise<PresentProcess[]>;
}

export function createDesk(
  { db, config, analysts, log }: { db: Database; config: Config; analysts: Analysts; log?: Log },
): Desk {
  const find = async (number: number): Promise<Session> => {
    const session = await findSession(db, number);
    if (!session) {
      throw new NotFoundError(`There is no session ${number}. The list of sessions says which there are`);
    }
    return session;
  };
  const plan = (request: SessionRequest) => planSession(db, config, analysts, request);
  const outage = new OutageGrace();
  const worstCases = (session: Session) => findWorstCases(session, config, analysts);
  // What the offline analyst charges is paid to nobody.
  const simulated = config.analyst === "offline";

  return {
    ...createAlertDesk({ db, config, analysts }),
    async ingest(location, options = {}) {
      const read = await loadReader(config.feeds.includes(location));
      return await read(db, location, { ...options, allowPrivateAddresses: config.allowPrivateFeeds });
    },
    feeds: () => listFeeds(db, config.feeds),
    crons: () => readCrons(db),
    articles: (examples = 3) => reportIdentification(db, rulesFor(config, analysts), examples),
    tryAgain: (articleIds, actor) => tryAgain(db, articleIds, actor),
    async estimate(request) {
      const { estimate } = await plan(request);
      return estimate;
    },
    async start(request, actor, wish = {}) {
      const started = wish.key ? await findRequested(db, wish.key, wish.hash) : null;
      if (started) return { ...started, repeated: true };
      const { estimate, items, settings } = await plan(request);
      await ensureDay(db, estimate.simulated, config.dayBudget);
      return await startSession(db, {
        provider: estimate.provider,
        model: estimate.model,
        simulated: estimate.simulated,
        budget: estimate.budget,
        estimatedCost: estimate.expected,
        worstCost: estimate.worst,
        items,
        settings,
        warnPercent: config.alerts.warnPercent,
        criticalPercent: config.alerts.criticalPercent,
        startedBy: actor,
        wish,
      }, log);
    },
    requested: (requestKey) => findRequested(db, requestKey),
    async session(number) {
      const session = number === null ? await currentSession(db) : await find(number);
      if (!session) throw new NotFoundError("There is no session yet. Start one first");
      const [progress, batches, failures] = await Promise.all([
        readProgress(db, session),
        readBatchesAtWork(db, session.session_id),
        countFailures(db, session.session_id),
      ]);
      return { ...progress, ...batches, failures };
    },
    async current() {
      const session = await currentSession(db);
      return session && await readProgress(db, session);
    },
    progress: async (number) => await readProgress(db, await find(number)),
    sessions: (limit, before) => listSessions(db, limit, before),
    batches: async (number, page) => await listBatches(db, (await find(number)).session_id, page),
    items: async (number, page) => await listItems(db, (await find(number)).session_id, page),
    events: async (number, page) => await listEvents(db, (await find(number)).session_id, page),
    timeline: async (number) => await readTimeline(db, (await find(number)).session_id),
    pause: async (number, actor) =>
      await pauseSession(db, (await find(number)).session_id, actor, "operator"),
    resume: async (number, actor) => await resumeSession(db, (await find(number)).session_id, actor),
    cancel: async (number, actor) => await cancelSession(db, (await find(number)).session_id, actor),
    async recover(number, budget, actor, endedBefore, requestKey) {
      // Before the session is looked for: the newest unfinished one is another one by now.
      const [answered] = requestKey ? await findRecoveries(db, requestKey) : [];
      if (answered) return answered;
      const session = number === null ? await newestUnfinished(db) : await find(number);
      return await recoverSession(db, session.session_id, budget, actor, {
        endedBefore,
        requestKey,
        worstCases,
      });
    },
    recoverRecent: (actor, days = RECENT_DAYS, endedBefore, requestKey) =>
      recoverRecent(db, actor, days, { endedBefore, requestKey, worstCases }),
    unknownCalls: async (number) =>
      await listUnknown(db, number === null ? null : (await find(number)).number),
    resolveUnknown: (which, verdict, actor) => resolveUnknown(db, which, verdict, actor),
    budgets: async () =>
      await readBudgets(db, {
        session: await currentSession(db),
        sessionDefault: config.batchBudget,
        configuredDayCap: config.dayBudget,
        simulated,
      }),
    changeBudget: async (number, budget, actor) =>
      await changeBudget(db, (await find(number)).session_id, budget, actor),
    changeDayBudget: (change, actor) =>
      changeDayCap(db, change, { configured: config.dayBudget, simulated, actor }),
    sweep: (actor) => outage.watch(() => sweep(db, actor, null, outage.over)),
    cleanup: (actor, reach) => outage.watch(() => cleanUp(db, actor, reach, null, outage.over)),
    costs: (days) => readCosts(db, days),
    async show(articleId) {
      const shown = await showArticle(db, articleId);
      if (!shown) {
        throw new NotFoundError(
          `There is no article ${articleId}. The identification report names some of each kind`,
        );
      }
      return shown;
    },
    workers: async () => (await listProcesses(db)).filter(isWorker),
    processes: () => listProcesses(db),
  };
}

/** Loaded when something is read: the libraries for pages, feeds and languages are half of what a start would load. */
async function loadReader(isFeed: boolean) {
  if (isFeed) return (await import("./articles/ingest_feed.ts")).ingestFeed;
  return (await import("./articles/ingest.ts")).ingest;
}

async function newestUnfinished(db: Database): Promise<Session> {
  const sessions = await listSessions(db, 50);
  const session = sessions.find(({ status }) => status === "PARTIAL" || status === "FAILED");
  if (!session) throw new UserError("There is nothing to recover: no session ended with something missing");
  return session;
}
