/** What is going on: status, articles, costs. */
import { createRoute, z } from "@hono/zod-openapi";
import type { IdentificationReport } from "../../articles/identifier.ts";
import type { CostReports } from "../cost_reports.ts";
import type { WebDeps } from "../deps.ts";
import { Moment } from "../moment.ts";
import { presentAlert, presentCosts, presentProgress, presentWorker } from "../present.ts";
import { DEAR_REPORT, Ration } from "../ration.ts";
import { articlesSchema, costsSchema, statusSchema } from "../schemas.ts";
import { answers, type Api, BAD_REQUEST, COMMON } from "./responses.ts";

const status = createRoute({
  method: "get",
  path: "/api/status",
  tags: ["Overview"],
  summary: "The current session, open alerts and workers",
  responses: { 200: answers(statusSchema, "The status"), ...COMMON },
});

const articles = createRoute({
  method: "get",
  path: "/api/articles",
  tags: ["Overview"],
  summary: "Which articles are ready for analysis, which are refused, and why",
  responses: { 200: answers(articlesSchema, "The identification report"), ...COMMON },
});

const costs = createRoute({
  method: "get",
  path: "/api/costs",
  tags: ["Overview"],
  summary: "What was paid, by day and by use",
  request: {
    query: z.object({
      days: z.coerce.number().int().min(1).max(3_660).default(30).openapi({
        type: "integer",
        description: "UTC days up to today",
        example: 30,
      }),
    }),
  },
  responses: {
    200: answers(costsSchema, "The costs; real and simulated money apart"),
    ...BAD_REQUEST,
    ...COMMON,
  },
});

export function addOverviewRoutes(api: Api, { desk }: WebDeps, costReports: CostReports): void {
  const current = new Moment(async () => {
    const [session, alerts, workers] = await Promise.all([
      desk.current(),
      desk.openAlerts(),
      desk.workers(),
    ]);
    return {
      session: session && presentProgress(session),
      alerts: alerts.map(presentAlert),
      workers: workers.map(presentWorker),
    };
  });
  api.post("/api/*", async (_, next) => {
    await next();
    current.forget();
  });
  api.openapi(status, async (c) => c.json(await current.read(), 200));
  const reports = new Ration<IdentificationReport>(({ total }) => total > DEAR_REPORT);
  api.openapi(articles, async (c) => c.json(await reports.read("", () => desk.articles()), 200));
  api.openapi(
    costs,
    async (c) => c.json(presentCosts(await costReports.read(c.req.valid("query").days)), 200),
  );
}
