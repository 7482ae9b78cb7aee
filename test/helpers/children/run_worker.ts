/**
 * Works off sessions as a service does, with the settings of its environment, until SIGTERM. A line on stdin is a
 * wake-up as the queue gives it.
 */
import { createAnalysts } from "../../../lib/analysis/make_analyst.ts";
import { readConfig } from "../../../lib/config.ts";
import { openDatabase } from "../../../lib/database/connect.ts";
import { createDesk } from "../../../lib/desk.ts";
import { createLog } from "../../../lib/log.ts";
import { startRuntime } from "../../../lib/runtime.ts";

const GRACE_MS = 5_000;

const config = readConfig();
const log = createLog({ level: config.logLevel, secrets: [] });
const { database: db } = await openDatabase({
  databaseUrl: config.databaseUrl,
  dataDir: config.dataDir,
  role: "test child",
  onConnectionError: (error) => log("warn", { error }, "lost a database connection"),
});
const analysts = createAnalysts(config);
const desk = createDesk({ db, config, analysts });
const { worker, workerId, stop } = await startRuntime({ db, desk, config, analysts, role: "service", log });
Deno.addSignalListener("SIGTERM", async () => {
  await stop(GRACE_MS);
  await db.close();
  console.log(`peak ${Deno.memoryUsage().rss}`);
  Deno.exit(0);
});
console.log(`ready ${workerId}`);
for await (const _ of Deno.stdin.readable) worker.wake();
