/** Opens what a command needs and closes it again, whatever happens. */
import { type Config, listSecrets, readConfig } from "../config.ts";
import { openDatabase } from "../database/connect.ts";
import type { Database } from "../database/port.ts";
import type { Desk } from "../desk.ts";
import { hideSecrets, note } from "./output.ts";
import { createLog, type Log } from "../log.ts";
import type { Runtime } from "../runtime.ts";

export interface Context {
  desk: Desk;
  db: Database;
  config: Config;
  log: Log;
  /** Migrations that opening the database applied. */
  migrated: string[];
  /** Makes this process a worker until the command ends. */
  work(): Promise<Runtime>;
}

/** Who the audit trail names for what is done in a terminal. */
export const ACTOR = "operator:cli";

/** How long an interrupted command waits for answers that are already paid for, ms. */
const GRACE_MS = 20_000;

/**
 * @param command Its name, told to others who find the database taken.
 * @param change Settings that the command itself decides (the demo's folder, for example).
 */
export async function withDesk<T>(
  command: string,
  run: (context: Context) => Promise<T>,
  change: Partial<Config> = {},
): Promise<T> {
  const config = { ...readConfig(), ...change };
  // The progress bar is the command's voice; its log speaks up only about what somebody should look at.
  const level = config.logLevel === "info" ? "error" : config.logLevel;
  hideSecrets(listSecrets(config));
  const log = createLog({ level, secrets: listSecrets(config) });
  const opening = openDatabase({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    role: `desk ${command}`,
    onConnectionError: (message) => log("warn", { error: message }, "lost a database connection"),
    onStopped(message) {
      note(`The embedded database died: ${message}. Run the command again`);
      Deno.exit(1);
    },
  });
  // Loaded while the embedded database opens in a thread of its own.
  const [{ database: db, migrated }, { createAnalysts }, { createDesk }] = await Promise.all([
    opening,
    import("../analysis/make_analyst.ts"),
    import("../desk.ts"),
  ]);
  const analysts = createAnalysts(config);
  const desk = createDesk({ db, config, analysts, log });
  let runtime: Promise<Runtime> | undefined;
  try {
    return await run({
      desk,
      db,
      config,
      log,
      migrated,
      async work() {
        runtime ??= import("../runtime.ts").then(({ startRuntime }) =>
          startRuntime({ db, desk, config, analysts, role: command, log })
        );
        return await runtime;
      },
    });
  } finally {
    // A start that failed has told whoever asked for it.
    await (await runtime?.catch(() => undefined))?.stop(GRACE_MS);
    await db.close();
  }
}
