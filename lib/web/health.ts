/** Is the process alive, and can it do its work? For service managers and load balancers. */
import { createRoute, z } from "@hono/zod-openapi";
import { describeInabilities, isWorker, listProcesses } from "../batches/worker/presence.ts";
import { isConnectionLost } from "../database/connection_lost.ts";
import { listMigrations } from "../database/migrate.ts";
import type { Queryable } from "../database/port.ts";
import { messageOf } from "../errors.ts";
import { within } from "../within.ts";
import { ANYWHERE, type Api } from "./api/responses.ts";
import type { WebDeps } from "./deps.ts";

/** A database that takes longer to answer is not ready, ms. */
const PATIENCE_MS = 2_000;

const healthSchema = z.object({
  status: z.enum(["ok", "not ready"]),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
}).openapi("Health");

const livez = createRoute({
  method: "get",
  path: "/livez",
  tags: ["Health"],
  summary: "The process runs",
  responses: {
    200: { description: "It does", content: { "text/plain": { schema: z.string() } } },
    ...ANYWHERE,
  },
});

function readiness(path: string) {
  return createRoute({
    method: "get",
    path,
    tags: ["Health"],
    summary: "The service can do its work: database, migrations, dispatcher; and who is alive",
    responses: {
      200: { description: "It can", content: { "application/json": { schema: healthSchema } } },
      503: {
        description: "It cannot; the checks say why",
        content: { "application/json": { schema: healthSchema } },
      },
      ...ANYWHERE,
    },
  });
}

export function addHealthRoutes(api: Api, { db, dispatcherTrouble }: WebDeps): void {
  api.openapi(livez, (c) => c.text("ok", 200));
  for (const path of ["/readyz", "/healthz"]) {
    api.openapi(readiness(path), async (c) => {
      const trouble = dispatcherTrouble();
      const checks = [...await checkDatabase(db), {
        name: "dispatcher",
        ok: trouble === null,
        detail: trouble ?? "takes wake-ups",
      }];
      const ok = checks.every((check) => check.ok);
      c.header("cache-control", "no-store");
      return c.json({ status: ok ? "ok" as const : "not ready" as const, checks }, ok ? 200 : 503);
    });
  }
}

async function checkDatabase(db: Queryable) {
  try {
    const { rows } = await answered(db.query<{ name: string }>("SELECT name FROM nightdesk_migrations"));
    const applied = new Set(rows.map(({ name }) => name));
    const missing = listMigrations().filter((name) => !applied.has(name));
    return [
      { name: "database", ok: true, detail: "answers" },
      {
        name: "migrations",
        ok: missing.length === 0,
        detail: missing.length === 0
          ? `up to ${[...applied].sort().at(-1)}`
          : `not applied: ${missing.join(", ")}`,
      },
      ...missing.length === 0 ? [await checkProcesses(db)] : [],
    ];
  } catch (error) {
    const detail = isConnectionLost(error) ? "away" : messageOf(error);
    return [{ name: "database", ok: false, detail }];
  }
}

/** For whoever looks: pages can be served while no worker is alive, so it makes nothing unready. */
async function checkProcesses(db: Queryable) {
  const processes = await answered(listProcesses(db));
  const roles = Map.groupBy(processes, ({ role }) => role);
  const alive = [...roles].map(([role, { length }]) => `${length} ${role}`).join(", ") || "nobody";
  return {
    name: "processes",
    ok: true,
    detail: [
      `alive: ${alive}`,
      ...processes.some(isWorker) ? [] : ["no worker, so nothing is analysed"],
      ...describeInabilities(processes),
    ].join("; "),
  };
}

async function answered<T extends object>(work: Promise<T>): Promise<T> {
  const answer = await within(PATIENCE_MS, work);
  if (answer === null) throw new Error(`no answer within ${PATIENCE_MS} ms`);
  return answer;
}
