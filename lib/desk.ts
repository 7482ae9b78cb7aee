/**
 * The desk: every operator action and every read, once. Bot, web, terminal and notebooks call it and add nothing but
 * their own way of showing.
 */
import type { Analysts, ProviderName } from "./analysis/make_analyst.ts";
import type { Analyst, Researcher } from "./analysis/port.ts";
import {
  findReady,
  type IdentificationReport,
  type IdentifierRules,
  type ReadyArticle,
  reportIdentification,
} from "./articles/identifier.ts";
import { ingest } from "./articles/ingest.ts";
import { showArticle, type ShownArticle } from "./articles/show_article.ts";
import type { IngestReport } from "./articles/types.ts";
import { cancelSession, finishIfDone, pauseSession, resumeSession } from "./batches/change_session.ts";
import { type Reclaimed, reclaimExpired } from "./batches/leases.ts";
import {
  type BatchRow,
  countFailures,
  currentSession,
  type FailureCount,
  findSession,
  listBatches,
  listSessions,
  type Progress,
  readProgress,
} from "./batches/read_sessions.ts";
import { recoverSession, type RecoveryReport } from "./batches/recover_items.ts";
import { startSession } from "./batches/start_session.ts";
import { isLive, type Session } from "./batches/types.ts";
import { listWorkers, type PresentWorker } from "./batches/worker/presence.ts";
import { type CostReport, readCosts } from "./budget/costs.ts";
import { type Estimate, estimateSession } from "./budget/estimate.ts";
import { type DayBudget, ensureDay, readDay } from "./budget/ledger/day_budget.ts";
import { type ModelPrice, requirePrice } from "./budget/prices.ts";
import type { Config, ResearchMode } from "./config.ts";
import type { Database } from "./database/port.ts";
import { UserError } from "./errors.ts";
import type { Micros } from "./money.ts";

/** Input tokens that every current Gemini flash model takes (ai.google.dev/gemini-api/docs/models, Nov 2026). */
const CONTEXT_TOKENS = 1_048_576;

export interface SessionRequest {
  /** Articles at most; the settings' maximum unless given. */
  limit?: number;
  budget?: Micros;
  model?: string;
  research?: ResearchMode;
}

export interface SessionEstimate extends Estimate {
  provider: ProviderName;
  model: string;
  simulated: boolean;
  price: Pick<ModelPrice, "model" | "perMillion" | "source">;
  budget: Micros;
  /** Ready articles over the limit: they stay for another session. */
  readyBeyondLimit: boolean;
  /** Ready, but even alone its worst case does not fit the budget: left out. */
  tooExpensive: number;
  day: DayBudget | null;
}

export interface SessionDetail extends Progress {
  batches: BatchRow[];
  failures: FailureCount[];
}

export interface MonitorReport {
  sessions: Progress[];
  /** Numbers of sessions that monitoring found finished and ended. */
  ended: number[];
  workers: PresentWorker[];
}

export interface IngestOptions {
  signal?: AbortSignal;
  onProgress?: (report: IngestReport) => void;
}

export interface Desk {
  ingest(location: string, options?: IngestOptions): Promise<IngestReport>;
  articles(examples?: number): Promise<IdentificationReport>;
  estimate(request: SessionRequest): Promise<SessionEstimate>;
  start(request: SessionRequest, actor: string): Promise<Session>;
  /** The session with this number, or the current one. Throws `UserError` when there is none. */
  session(number: number | null): Promise<SessionDetail>;
  progress(number: number): Promise<Progress>;
  sessions(limit: number): Promise<Session[]>;
  pause(number: number, actor: string): Promise<Session>;
  resume(number: number, actor: string): Promise<Session>;
  cancel(number: number, actor: string): Promise<Session>;
  /** Without a number: the newest session that ended with something missing. */
  recover(number: number | null, budget: Micros | null, actor: string): Promise<RecoveryReport>;
  cleanup(actor: string): Promise<Reclaimed & { ended: number[] }>;
  monitor(actor: string): Promise<MonitorReport>;
  costs(days: number): Promise<CostReport>;
  show(articleId: number): Promise<ShownArticle>;
  workers(): Promise<PresentWorker[]>;
}

export function createDesk(
  { db, config, analysts }: { db: Database; config: Config; analysts: Analysts },
): Desk {
  const find = async (number: number): Promise<Session> => {
    const session = await findSession(db, number);
    if (!session) {
      throw new UserError(`There is no session ${number}. The list of sessions says which there are`);
    }
    return session;
  };
  const plan = (request: SessionRequest) => planSession(db, config, analysts, request);

  return {
    ingest: (location, options = {}) =>
      ingest(db, location, { ...options, allowPrivateAddresses: config.allowPrivateFeeds }),
    articles: (examples = 3) => reportIdentification(db, rulesFor(config, analysts), examples),
    async estimate(request) {
      const { estimate } = await plan(request);
      return estimate;
    },
    async start(request, actor) {
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
        startedBy: actor,
      });
    },
    async session(number) {
      const session = number === null ? await currentSession(db) : await find(number);
      if (!session) throw new UserError("There is no session yet. Start one first");
      const [progress, batches, failures] = await Promise.all([
        readProgress(db, session),
        listBatches(db, session.session_id),
        countFailures(db, session.session_id),
      ]);
      return { ...progress, batches, failures };
    },
    progress: async (number) => await readProgress(db, await find(number)),
    sessions: (limit) => listSessions(db, limit),
    pause: async (number, actor) =>
      await pauseSession(db, (await find(number)).session_id, actor, "operator"),
    resume: async (number, actor) => await resumeSession(db, (await find(number)).session_id, actor),
    cancel: async (number, actor) => await cancelSession(db, (await find(number)).session_id, actor),
    async recover(number, budget, actor) {
      const session = number === null ? await newestUnfinished(db) : await find(number);
      return await recoverSession(db, session.session_id, budget, actor);
    },
    async cleanup(actor) {
      const reclaimed = await reclaimExpired(db, actor);
      return { ...reclaimed, ended: await endFinished(db, actor) };
    },
    async monitor(actor) {
      const ended = await endFinished(db, actor);
      const recent = await listSessions(db, 50);
      const live = recent.filter((session) => isLive(session.status));
      return {
        ended,
        sessions: await Promise.all(live.map((session) => readProgress(db, session))),
        workers: await listWorkers(db),
      };
    },
    costs: (days) => readCosts(db, days),
    async show(articleId) {
      const shown = await showArticle(db, articleId);
      if (!shown) {
        throw new UserError(
          `There is no article ${articleId}. The identification report names some of each kind`,
        );
      }
      return shown;
    },
    workers: () => listWorkers(db),
  };
}

async function planSession(db: Database, config: Config, analysts: Analysts, request: SessionRequest) {
  const provider = config.analyst;
  const model = request.model ?? config.gemini.model;
  const budget = request.budget ?? config.batchBudget;
  const research = request.research ?? config.research;
  const analyst = analysts.analyst(provider, model);
  const price = requirePrice(model, new Date(), config.gemini.price);
  const researcher = research === "off" ? null : analysts.researcher(provider);
  const limit = Math.min(request.limit ?? config.maxSessionArticles, config.maxSessionArticles);
  const found = await findReady(db, rulesFor(config, analysts, analyst), limit + 1);
  const ready = found.slice(0, limit);
  const fitting = ready.filter((article) => price.cost(analyst.bound(article.text_bytes)) <= budget);
  const estimate: SessionEstimate = {
    ...await estimateSession(db, {
      articles: fitting,
      analyst,
      price,
      researcher,
      researchMode: research,
      budget,
    }),
    provider,
    model,
    simulated: analyst.simulated,
    price: { model: price.model, perMillion: price.perMillion, source: price.source },
    budget,
    readyBeyondLimit: found.length > limit,
    tooExpensive: ready.length - fitting.length,
    day: await readDay(db, analyst.simulated),
  };
  return {
    estimate,
    items: fitting.map((article: ReadyArticle, index) => ({
      articleId: article.id,
      worstCase: estimate.worstCases[index],
    })),
    settings: {
      batchSize: config.batchSize,
      batchDelayMs: config.batchDelayMs,
      articleTimeoutMs: config.articleTimeoutMs,
      maxAttempts: config.maxAttempts,
      retryBaseMs: config.retryBaseMs,
      research: researcherMode(research, researcher),
      promptVersion: analyst.promptVersion,
    },
  };
}

function researcherMode(wanted: ResearchMode, researcher: Researcher | null): ResearchMode {
  if (wanted !== "off" && researcher === null) {
    throw new UserError(`Cannot research (${wanted}): it needs TAVILY_API_KEY, which is not set`);
  }
  return wanted;
}

function rulesFor(config: Config, analysts: Analysts, analyst?: Analyst): IdentifierRules {
  const reader = analyst ?? analysts.analyst(config.analyst, config.gemini.model);
  return {
    minChars: config.minArticleChars,
    languages: config.languages,
    maxBytes: largestText(reader),
  };
}

/** The bound is linear in the bytes of the text, so the largest text that fits the model's window can be computed. */
function largestText(analyst: Analyst): number {
  const fixed = analyst.bound(0).inputTokens;
  const perByte = (analyst.bound(1_000_000).inputTokens - fixed) / 1_000_000;
  return Math.floor((CONTEXT_TOKENS - fixed) / perByte);
}

async function endFinished(db: Database, actor: string): Promise<number[]> {
  const { rows } = await db.query<{ session_id: string; number: number }>(
    `SELECT session_id, number FROM batch_processing_sessions
     WHERE status IN ('INITIATED', 'PROCESSING', 'PAUSED') AND analyzed + failed + skipped = total`,
  );
  const ended: number[] = [];
  for (const { session_id, number } of rows) {
    if (await finishIfDone(db, session_id, actor)) ended.push(number);
  }
  return ended;
}

async function newestUnfinished(db: Database): Promise<Session> {
  const sessions = await listSessions(db, 50);
  const session = sessions.find(({ status }) => status === "PARTIAL" || status === "FAILED");
  if (!session) throw new UserError("There is nothing to recover: no session ended with something missing");
  return session;
}
