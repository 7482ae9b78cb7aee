/**
 * The service: configuration, database, desk, worker and queue put together, until SIGINT or SIGTERM. No logic here.
 */
import { join } from "node:path";
import { wakeForBatches } from "./jobs/initiate_batch_processing.ts";
import type { Dispatcher } from "./jobs/queue/dispatcher.ts";
import { createKvDispatcher } from "./jobs/queue/kv_dispatcher.ts";
import { routeMessages } from "./jobs/route_messages.ts";
import { createAnalysts } from "./lib/analysis/make_analyst.ts";
import { isLive } from "./lib/batches/types.ts";
import { listSecrets, readConfig } from "./lib/config.ts";
import { openDatabase } from "./lib/database/connect.ts";
import { createDesk } from "./lib/desk.ts";
import { messageOf, UsageError, UserError } from "./lib/errors.ts";
import { createLog, type Log } from "./lib/log.ts";
import { startRuntime } from "./lib/runtime.ts";

/** How long answers that are already paid for may still come in after the signal, ms. */
const GRACE_MS = 20_000;

async function serve(): Promise<void> {
  const config = readConfig();
  const log = createLog({ level: config.logLevel, secrets: listSecrets(config) });
  const { database: db, ownedBy, migrated } = await openDatabase({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    role: "service",
    onConnectionError: (error) => log("warn", { error }, "lost a database connection"),
    onStopped(error) {
      log("error", { error }, "the embedded database died; start the service again");
      Deno.exit(1);
    },
  });
  const analysts = createAnalysts(config);
  const desk = createDesk({ db, config, analysts });
  try {
    if (ownedBy) throw alreadyOwned(config.dataDir, ownedBy);
    const dispatcher = await openQueue(config.dataDir, log);
    const runtime = await startRuntime({ db, desk, config, analysts, role: "service", log });
    dispatcher.listen(routeMessages({ desk, config, runtime, log }));
    for (const session of await desk.sessions(50)) {
      if (isLive(session.status)) await wakeForBatches(dispatcher, session);
    }
    if (config.feeds.length > 0) await dispatcher.enqueue({ queue: "newsletter", job: "ingest_feeds" });
    log("info", { database: db.where, analyst: config.analyst, migrated }, "ready");
    const signal = await nextSignal();
    log(
      "info",
      { signal, under_way: runtime.worker.holding },
      "stopping; answers under way are still taken in",
    );
    await dispatcher.stop();
    await runtime.stop(GRACE_MS);
  } finally {
    await db.close();
  }
  log("info", {}, "stopped");
}

async function openQueue(dataDir: string, log: Log): Promise<Dispatcher> {
  try {
    await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
    return await createKvDispatcher(join(dataDir, "queue.sqlite3"), log);
  } catch (error) {
    throw new UserError(
      `Cannot open the queue in DATA_DIR ${dataDir}: ${messageOf(error)}. ` +
        "It must be a folder that you may write to",
    );
  }
}

function alreadyOwned(dataDir: string, ownedBy: string): UserError {
  return new UserError(
    `Cannot start: ${ownedBy} owns DATA_DIR ${dataDir}. A service has a database to itself: ` +
      `end the other one, choose another DATA_DIR, or set DATABASE_URL to a PostgreSQL server`,
  );
}

/** The first signal begins the orderly stop; a second one ends the process as the system would. */
function nextSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    const heard = (signal: Deno.Signal) => {
      Deno.removeSignalListener("SIGINT", onInterrupt);
      Deno.removeSignalListener("SIGTERM", onTerminate);
      resolve(signal);
    };
    const onInterrupt = () => heard("SIGINT");
    const onTerminate = () => heard("SIGTERM");
    Deno.addSignalListener("SIGINT", onInterrupt);
    Deno.addSignalListener("SIGTERM", onTerminate);
  });
}

if (import.meta.main) {
  try {
    await serve();
    Deno.exit(0);
  } catch (error) {
    console.error(error instanceof UserError ? error.message : `Nightdesk stopped: ${messageOf(error)}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
