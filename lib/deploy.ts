/**
 * Deno Deploy: what is different there. Instances are many and short-lived, there is no KV queue and no lasting disk,
 * every branch has a timeline of its own whose crons run too, and requests come from a proxy.
 *
 * Only the timeline "production" may spend, send to Telegram or to a webhook. On any other one the keys are dropped when
 * the settings are read, so that nothing downstream can: the offline analyst takes their place, and a branch can be tried
 * like a laptop.
 */
import type { Config, Deploy } from "./config_shape.ts";

type Environment = Record<string, string | undefined>;

/** What the platform says of itself, beside the settings. */
export const PLATFORM_NAMES = [
  "DENO_DEPLOY",
  "DENO_TIMELINE",
  "PGHOST",
  "PGPORT",
  "PGDATABASE",
  "PGUSER",
  "PGPASSWORD",
  "PGSSLMODE",
] as const;

/**
 * Connections of an instance to its database. All instances share what the database lends, and the one that the platform
 * provisions lends few: on its two small plans 10, of which 5 are kept for upkeep, or 50 through its pooler
 * (prisma.io/docs/postgres/database/connection-pooling, Nov 2026). So a dozen instances fit behind the pooler; one that
 * gets no connection in 10 s tries again.
 */
export const DEPLOY_CONNECTIONS = 4;

/** Null: not on Deno Deploy. */
export function readDeploy(env: Environment): Deploy | null {
  return /^(true|1)$/.test(env.DENO_DEPLOY ?? "") ? { timeline: env.DENO_TIMELINE || null } : null;
}

/** Whether this process may spend money, and speak to people, by its place. */
export function isProduction({ deploy }: Pick<Config, "deploy">): boolean {
  return deploy === null || deploy.timeline === "production";
}

/** The settings as they hold on Deno Deploy, and what they lack for it, a line each. */
export function fitToDeploy(config: Config, env: Environment): { config: Config; faults: string[] } {
  if (config.deploy === null) return { config, faults: [] };
  const databaseUrl = config.databaseUrl ?? urlOfParts(env);
  const faults: string[] = [];
  if (databaseUrl === null) {
    faults.push("DATABASE_URL: wanted a PostgreSQL database linked to the app on Deno Deploy, got nothing");
  }
  if ((env.DISPATCH ?? "").trim() === "kv") {
    faults.push(`DISPATCH: wanted "pgboss" because Deno Deploy has no KV queue, got "kv"`);
  }
  // The proxy of the platform stands in front, so nobody is on this machine: reading needs API_TOKEN.
  const fitted: Config = { ...config, databaseUrl, dispatch: "pgboss", host: "0.0.0.0" };
  if (!isProduction(config)) return { config: dropKeys(fitted), faults };
  if (config.telegram.token !== null && config.telegram.webhook === null) {
    faults.push(
      "TELEGRAM_WEBHOOK_URL: wanted this app's public address because a bot cannot poll on Deno Deploy, got nothing",
    );
  }
  return { config: fitted, faults };
}

function dropKeys(config: Config): Config {
  return {
    ...config,
    analyst: "offline",
    gemini: { ...config.gemini, apiKey: null },
    tavily: { ...config.tavily, apiKey: null },
    telegram: { ...config.telegram, token: null, webhook: null },
    alerts: { ...config.alerts, webhook: null },
    schedule: { ...config.schedule, sessions: null },
  };
}

/** The address that the platform gives in parts, too. */
function urlOfParts(
  { PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD, PGSSLMODE }: Environment,
): string | null {
  if (!PGHOST || !PGDATABASE) return null;
  const url = new URL(`postgres://${PGHOST.includes(":") ? `[${PGHOST}]` : PGHOST}`);
  url.port = PGPORT ?? "";
  url.pathname = `/${encodeURIComponent(PGDATABASE)}`;
  url.username = PGUSER ?? "";
  url.password = PGPASSWORD ?? "";
  if (PGSSLMODE) url.searchParams.set("sslmode", PGSSLMODE);
  return url.href;
}
