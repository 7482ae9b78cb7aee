/** The web app: everything in front of the desk that speaks HTTP. It listens nowhere by itself; `serve.ts` does. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { etag } from "hono/etag";
import { routePath } from "hono/route";
import { traceRoute } from "../trace.ts";
import { allowChanging, allowReading, refuseForeignNames } from "./access.ts";
import { addOverviewRoutes } from "./api/overview.ts";
import { addReference } from "./api/reference.ts";
import { addSessionRoutes } from "./api/sessions.ts";
import { addSteeringRoutes } from "./api/steering.ts";
import { CostReports } from "./cost_reports.ts";
import type { WebDeps, WebEnv } from "./deps.ts";
import { addHealthRoutes } from "./health.ts";
import { addLiveRoutes } from "./live/routes.ts";
import { LiveStreams } from "./live/stream.ts";
import { MetricsReader } from "./metrics.ts";
import { addPages } from "./pages/routes.ts";
import { describeError, makeProblem } from "./problem.ts";
import { addHeaders, limitBody, limitRate, limitTime, requireJson } from "./secure.ts";

export interface WebApp {
  /** @param address Where it comes from. */
  fetch(request: Request, address: string): Promise<Response>;
  /** Ends every live stream: the service stops. */
  endStreams(): void;
}

export function createWebApp(deps: WebDeps): WebApp {
  const { config, log } = deps;
  const app = new OpenAPIHono<WebEnv>({ defaultHook: refuseWrongValues });
  const streams = new LiveStreams(deps.desk, log);
  const addresses = new WeakMap<Request, string>();
  app.onError((error, c) => describeError(error, c, log));
  const guide = deps.healthOnly
    ? "This process has /livez, /readyz and /metrics only"
    : "/openapi.json lists what there is";
  app.notFound((c) => makeProblem(404, `There is nothing at ${c.req.path}. ${guide}`));
  const named = refuseForeignNames(config.host);
  // The webhook proves itself by its secret and comes by the public name of a proxy.
  app.use(async (c, next) => c.req.path === "/telegram/webhook" ? await next() : await named(c, next));
  app.use(addHeaders());
  app.use(async (c, next) => {
    await next();
    traceRoute(c.req.method, routePath(c, -1));
  });
  app.use(limitRate((request) => addresses.get(request) ?? "unknown"));
  app.use(limitTime());
  const read = allowReading({
    host: config.host,
    token: config.apiToken,
    published: config.telegram.webhook !== null,
  });
  const change = allowChanging(config.apiToken);
  // HEAD is answered by the routes of GET: whatever does not change something, reads.
  app.use("/api/*", async (c, next) => await (c.req.method === "POST" ? change : read)(c, next));
  // After the guards and the clock: a body that comes in drops holds nobody up for long, and strangers not at all.
  app.use(limitBody());
  app.post("/api/*", requireJson());
  // Not the live streams: a tag is made from the whole body.
  for (const path of ["/api/sessions", "/api/sessions/:n", "/api/articles", "/api/costs"]) {
    app.get(path, etag());
  }
  addHealthRoutes(app, deps);
  const metrics = new MetricsReader(deps.db);
  metrics.warm();
  app.get("/metrics", read, async (c) => {
    const { text, type } = await metrics.read();
    return c.body(text, 200, { "content-type": type, "cache-control": "no-store" });
  });
  if (!deps.healthOnly) {
    const costs = new CostReports(deps.desk);
    addOverviewRoutes(app, deps, costs);
    addSessionRoutes(app, deps);
    addSteeringRoutes(app, deps);
    addLiveRoutes(app, streams);
    addReference(app);
    addPages(app, deps, read, costs);
    const { webhook } = deps;
    if (webhook) app.post("/telegram/webhook", (c) => webhook(c.req.raw));
  }
  return {
    endStreams: () => streams.end(),
    async fetch(request, address) {
      addresses.set(request, address);
      return await app.fetch(request);
    },
  };
}

interface Checked {
  success: boolean;
  target: string;
  error?: { issues: readonly { path: readonly PropertyKey[]; message: string }[] };
}

/** A value that does not fit its schema: one line that names it. */
function refuseWrongValues(result: Checked): Response | undefined {
  if (result.success) return;
  const issues = result.error?.issues ?? [];
  const faults = issues.map(({ path, message }) =>
    `${path.map(String).join(".") || result.target}: ${message}`
  );
  return makeProblem(400, faults.join("; "));
}
