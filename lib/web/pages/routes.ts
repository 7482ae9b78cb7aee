/** The pages: what they ask of the desk, and where they stand. */
import type { Context, MiddlewareHandler } from "hono";
import { sessionBurn, spendByDay, throughput } from "../../charts/charts.ts";
import type { TimelineStep } from "../../batches/read_timeline.ts";
import { ITEM_STATUSES } from "../../budget/ledger/ledger.ts";
import type { CostReport } from "../../budget/costs.ts";
import type { IdentificationReport } from "../../articles/identifier.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import type { CostReports } from "../cost_reports.ts";
import type { WebDeps, WebEnv } from "../deps.ts";
import { INFO } from "../api/reference.ts";
import { concerns } from "../present.ts";
import { type Api, MOST_NUMBER } from "../api/responses.ts";
import { alertsPage } from "./alerts.ts";
import { articlePage } from "./article.ts";
import { articlesPage } from "./articles.ts";
import { costsPage } from "./costs.ts";
import { type Html, type Page, renderPage, showChart } from "./layout.ts";
import { referencePage } from "./reference.ts";
import { DEAR_REPORT, Ration } from "../ration.ts";
import { sessionPage } from "./session.ts";
import { sessionsPage } from "./sessions.ts";
import { systemPage } from "./system.ts";

const SESSIONS_A_PAGE = 25;
const ARTICLES_A_PAGE = 50;
const EVENTS_SHOWN = 50;
/** Pauses and their ends marked in the chart, newest. */
const MOVES_MARKED = 50;
const ALERTS_SHOWN = 100;

/** Articles of a session over which its timeline is not read anew at every look. */
const DEAR_ARTICLES = 5_000;

/** @param read Who may see them. */
export function addPages(app: Api, deps: WebDeps, read: MiddlewareHandler, costs: CostReports): void {
  const timelines = new Ration<TimelineStep[]>((steps) => (steps.at(-1)?.analyzed ?? 0) > DEAR_ARTICLES);
  const page = (path: string, make: (c: Context<WebEnv>) => Promise<Page>) =>
    app.get(path, read, async (c) => {
      const nonce = c.get("secureHeadersNonce") ?? "";
      c.header("cache-control", "no-store");
      return c.html(await renderPage(await make(c), nonce));
    });
  page("/", (c) => makeSessions(deps, c));
  page("/sessions/:n", (c) => makeSession(deps, timelines, c));
  const reports = new Ration<IdentificationReport>(({ total }) => total > DEAR_REPORT);
  page(
    "/articles",
    async () => articlesPage(await reports.read("", () => deps.desk.articles(5)), await deps.desk.feeds()),
  );
  page(
    "/articles/:id",
    async (c) => articlePage(await deps.desk.show(readNumber(c.req.param("id"), "article"))),
  );
  page("/costs", (c) => makeCosts(costs, c));
  page(
    "/alerts",
    async () =>
      alertsPage(...await Promise.all([deps.desk.openAlerts(), deps.desk.recentAlerts(ALERTS_SHOWN)])),
  );
  page("/system", async () => {
    const [processes, crons] = await Promise.all([deps.desk.processes(), deps.desk.crons()]);
    return systemPage(processes, crons, deps.db.where);
  });
  page(
    "/reference",
    () => Promise.resolve(referencePage(app.getOpenAPI31Document({ openapi: "3.1.0", info: INFO }))),
  );
}

async function makeSessions({ desk }: WebDeps, c: Context<WebEnv>): Promise<Page> {
  const before = readOptional(c.req.query("before"), "before");
  const [current, alerts, found] = await Promise.all([
    desk.current(),
    desk.openAlerts(),
    desk.sessions(SESSIONS_A_PAGE + 1, before ?? undefined),
  ]);
  const sessions = found.slice(0, SESSIONS_A_PAGE);
  const next = found.length > SESSIONS_A_PAGE ? sessions[sessions.length - 1].number : null;
  return sessionsPage({ current, alerts, sessions, next });
}

async function makeSession(
  { desk }: WebDeps,
  timelines: Ration<TimelineStep[]>,
  c: Context<WebEnv>,
): Promise<Page> {
  const number = readNumber(c.req.param("n"), "session");
  const status = ITEM_STATUSES.find((state) => state === c.req.query("status")) ?? null;
  const after = readOptional(c.req.query("after"), "after") ?? 0;
  const detail = await desk.session(number);
  const { session } = detail;
  const [alerts, steps, found, events, moves] = await Promise.all([
    desk.openAlerts(),
    // A session that ended, or was recovered, is drawn anew.
    timelines.read(`${number} ${session.status}`, () => desk.timeline(number)),
    desk.items(number, { limit: ARTICLES_A_PAGE + 1, after, status }),
    desk.events(number, { limit: EVENTS_SHOWN, withoutArticles: true }),
    desk.events(number, { limit: MOVES_MARKED, withoutBatches: true }),
  ]);
  // A step's time is its end; they are all equally long.
  const stepMs = steps.length > 1 ? steps[1].at.getTime() - steps[0].at.getTime() : 1_000;
  const charts = await Promise.all([
    showChart(
      sessionBurn({ readings: steps, budget: session.budget, total: session.total, events: pauses(moves) }),
    ),
    showChart(throughput({
      stepMs,
      readings: steps.map((step) => ({
        at: new Date(step.at.getTime() - stepMs),
        analyzed: step.analyzed_now,
        failed: step.failed_now,
        inFlight: step.in_flight,
      })),
    })),
  ]);
  const articles = found.slice(0, ARTICLES_A_PAGE);
  const next = found.length > ARTICLES_A_PAGE ? articles[articles.length - 1].position : null;
  return sessionPage({
    detail,
    alerts: alerts.filter((alert) => concerns(alert, number)),
    charts,
    articles,
    next,
    status,
    events,
  });
}

const PAUSES: Record<string, string> = {
  session_paused: "paused",
  session_resumed: "resumed",
  session_recovered: "recovered",
};

function pauses(events: readonly { action: string; at: Date }[]) {
  return events.flatMap(({ action, at }) => PAUSES[action] ? [{ at, label: PAUSES[action] }] : []);
}

async function makeCosts(costs: CostReports, c: Context<WebEnv>): Promise<Page> {
  const days = Math.min(3_660, readOptional(c.req.query("days"), "days") || 30);
  const report = await costs.read(days);
  const charts = report.total.map(({ simulated }) => drawSpend(report, simulated));
  return costsPage(report, await Promise.all(charts));
}

function drawSpend(report: CostReport, simulated: boolean): Promise<Html> {
  const rows = report.byDayAndKind.filter((line) => line.simulated === simulated)
    .map(({ day, kind, spent }) => ({ day, use: kind, spent }));
  const chart = spendByDay({ rows });
  return showChart(simulated ? { ...chart, title: `${chart.title} (simulated)` } : chart);
}

function readNumber(text: string | undefined, what: string): number {
  const number = /^\d{1,10}$/.test(text ?? "") ? Number(text) : 0;
  if (number < 1 || number > MOST_NUMBER) throw new NotFoundError(`There is no ${what} of that number`);
  return number;
}

function readOptional(text: string | undefined, name: string): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,9}$/.test(text)) {
    throw new UsageError(`${name}: wanted a whole number, got ${JSON.stringify(text.slice(0, 40))}`);
  }
  return Number(text);
}
