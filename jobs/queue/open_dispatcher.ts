/** Opens the dispatcher that DISPATCH names. Each adapter is loaded only where it is wanted. */
import { join } from "node:path";
import type { Config } from "../../lib/config.ts";
import type { Database } from "../../lib/database/port.ts";
import { messageOf, UserError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Dispatcher } from "./dispatcher.ts";

export interface DispatcherParts {
  db: Database;
  config: Pick<Config, "dispatch" | "databaseUrl" | "dataDir" | "deploy">;
  log: Log;
}

/** Throws `UserError` when it cannot be opened. */
export async function openDispatcher({ db, config, log }: DispatcherParts): Promise<Dispatcher> {
  if (config.dispatch === "kv") return await openKv(config.dataDir, log);
  const { createPgBossDispatcher } = await import("./pgboss_dispatcher.ts");
  // On Deno Deploy a process lives for one request or one cron: it hears nobody, and connections are few there.
  const listenAt = config.deploy === null ? config.databaseUrl : null;
  return await createPgBossDispatcher({ db, listenAt, log });
}

/**
 * Makes the database fit for the dispatcher, as opening one does too: for a migration that runs before the service.
 * @returns What had to be done, in words; null: nothing.
 */
export async function prepareDispatch({ db, config, log }: DispatcherParts): Promise<string | null> {
  if (config.dispatch === "kv") return null;
  const { prepareEngine } = await import("./pgboss_schema.ts");
  const { boss, prepared } = await prepareEngine(db, log);
  await boss.stop({ graceful: false, close: false });
  return prepared;
}

async function openKv(dataDir: string, log: Log): Promise<Dispatcher> {
  if (typeof Deno.openKv !== "function") {
    throw new UserError("Cannot open the queue: this platform has no Deno KV. Set DISPATCH=pgboss");
  }
  const { createKvDispatcher } = await import("./kv_dispatcher.ts");
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
