/**
 * Where things are broken: a database with articles, a session over all of them, and providers on a bad day. Services
 * are started on it as children; the stage itself only watches and never owns the embedded database meanwhile.
 */
import { join } from "node:path";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { readConfig } from "../../lib/config.ts";
import { type DatabaseSettings, openDatabase } from "../../lib/database/connect.ts";
import { fromFileUrl } from "../../lib/database/paths.ts";
import { createPool } from "../../lib/database/pool.ts";
import type { Database } from "../../lib/database/port.ts";
import { createDesk } from "../../lib/desk.ts";
import { markOf, startUnreliableProviders, type UnreliableProviders } from "../fakes/unreliable_providers.ts";
import { ROUGH, type TroubleMix } from "../fakes/trouble.ts";
import { type AlertReceiver, startAlertReceiver } from "../fakes/alert_receiver.ts";
import { createRandom } from "../../notebooks/fixture/random.ts";
import { addArticles } from "../helpers/articles.ts";

const SAMPLES = fromFileUrl(new URL("../../lib/articles/samples/", import.meta.url));

/** Alerts are few: they take long enough for kills to come in between, and some have to come again. */
const ALERT_TROUBLE = { longestMs: 200, turnedAway: 0.15 };

export interface StageOptions {
  database: Pick<DatabaseSettings, "databaseUrl" | "dataDir">;
  /** Folder of articles; null takes the bundled samples. */
  folder: string | null;
  /** Made-up articles besides. */
  madeUp: number;
  seed: string;
  mix?: TroubleMix;
  /** Mean delay of an answer, ms. */
  meanMs: number;
  /** Whether services post their alerts, for those who judge them. */
  tellAlerts?: boolean;
  /** Settings of the session and the services. */
  settings: Record<string, string>;
}

export interface Stage {
  providers: UnreliableProviders;
  /** Where the services post their alerts. */
  alerts: AlertReceiver;
  sessionId: string;
  sessionNumber: number;
  articles: number;
  /** Environment of a service or command whose requests come through this door. */
  envOf(door: string): Record<string, string>;
  /** Sees what the services do. Fails while nobody serves the embedded database. */
  watcher: Database;
  /** Owns the embedded database for a moment; nobody else may be running. */
  withDatabase<T>(work: (db: Database) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const { database, seed, mix = ROUGH, meanMs, settings } = options;
  const providers = await startUnreliableProviders({ seed, mix, meanMs });
  const alerts = startAlertReceiver({ random: createRandom(`${seed} alerts`), ...ALERT_TROUBLE });
  const envOf = (door: string): Record<string, string> => ({
    ...(database.databaseUrl === null ? {} : { DATABASE_URL: database.databaseUrl }),
    DATA_DIR: database.dataDir,
    HOST: "127.0.0.1",
    PORT: String(findFreePort()),
    ANALYST: "gemini",
    GEMINI_API_KEY: "test-gemini-key",
    GEMINI_BASE_URL: `${providers.geminiUrl}/${door}`,
    GEMINI_RPM: "100000",
    TAVILY_API_KEY: "test-tavily-key",
    TAVILY_BASE_URL: `${providers.tavilyUrl}/${door}`,
    // The digest is a cron whose slot is every minute's and which tells something once.
    ...(options.tellAlerts ? { ALERT_WEBHOOK_URL: alerts.url, DIGEST_SCHEDULE: "* * * * *" } : {}),
    ...settings,
  });
  const withDatabase = async <T>(work: (db: Database) => Promise<T>): Promise<T> => {
    const opened = await openDatabase({ ...database, role: "stage", onConnectionError() {} });
    try {
      if (opened.ownedBy) throw new Error(`${opened.ownedBy} should have ended`);
      return await work(opened.database);
    } finally {
      await opened.database.close();
    }
  };
  const session = await withDatabase((db) => startSession(db, options, envOf("stage")));
  const watcher = createPool({
    kind: database.databaseUrl === null ? "embedded" : "postgres",
    where: "the stage",
    max: 2,
    onConnectionError() {},
    connection: database.databaseUrl === null
      ? { host: Deno.realPathSync(database.dataDir), user: "postgres", database: "postgres", ssl: false }
      : { connectionString: database.databaseUrl, application_name: "stage" },
  });
  return {
    providers,
    alerts,
    sessionId: session.session_id,
    sessionNumber: session.number,
    articles: session.total,
    envOf,
    watcher,
    withDatabase,
    async close() {
      await watcher.close();
      await providers.close();
      await alerts.close();
    },
  };
}

async function startSession(db: Database, options: StageOptions, env: Record<string, string>) {
  const config = readConfig(env);
  const desk = createDesk({ db, config, analysts: createAnalysts(config) });
  await desk.ingest(options.folder ?? join(SAMPLES, "."));
  if (options.madeUp > 0) await addArticles(db, options.madeUp, 2_000);
  await watchArticles(db);
  return await desk.start({}, "operator:stage");
}

/** Marks the articles, so that requests tell which one they are about, and has every commit of money written down. */
export async function watchArticles(db: Database): Promise<void> {
  const { rows } = await db.query<{ id: number }>("SELECT id FROM articles ORDER BY id");
  await db.query(
    `UPDATE articles SET title = marked.mark || ' ' || title
     FROM unnest($1::bigint[], $2::text[]) AS marked (id, mark) WHERE articles.id = marked.id`,
    [rows.map(({ id }) => id), rows.map(({ id }) => markOf(id))],
  );
  await watchEveryCommit(db);
}

/** Writes down what a session's money was at every commit, however short it stood so. */
async function watchEveryCommit(db: Database): Promise<void> {
  await db.query("CREATE TABLE seen_money (session_id uuid, spent bigint, held bigint, budget bigint)");
  await db.query(`CREATE FUNCTION see_money() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO seen_money VALUES (NEW.session_id, NEW.spent, NEW.held, NEW.budget);
      RETURN NULL;
    END $$`);
  await db.query(`CREATE CONSTRAINT TRIGGER see_money AFTER INSERT OR UPDATE ON batch_processing_sessions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see_money()`);
}

/** Free at this moment; the service binds it a moment later. */
export function findFreePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
