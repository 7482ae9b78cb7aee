/**
 * pg-boss over our pool, set to do only what wake-ups need. What it would do by itself is off, for a reason each:
 *
 *     schedule          crons are ours (jobs/crons.ts): one row in Postgres gives each slot to one process
 *     supervise         runs when the inbox says so, also in a process that lives for seconds (pgboss_inbox.ts)
 *     registerInstance  who is alive stands in `workers`; and it would read /proc and the host's name
 *     reindex, vacuum   the tables hold tens of rows, for seconds
 *     openTelemetry     a span for every look would bury those of sessions
 */
import { type Db, PgBoss } from "pg-boss";
import type { Database } from "../../lib/database/port.ts";
import { messageOf } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";

/** A schema of its own: another program's pg-boss in the same database has its own version and its own queues. */
export const SCHEMA = "nightdesk_queue";

const DAY_S = 86_400;
/** One of all processes looks for messages whose process is gone, but not again within this, s (pgboss_upkeep.ts). */
const SUPERVISE_S = 10;
/** How often one of all processes deletes what has lain too long, s. */
const CLEAN_S = 300;

export interface Engine {
  boss: PgBoss;
  /** The channel on which Postgres tells of new messages. Null on the embedded database: it cannot listen. */
  channel: string | null;
}

/**
 * Starts pg-boss; installs its schema, or brings it to this program's version. Several that do so at once wait for
 * each other.
 * @param createSchema False where the schema is there already: creating takes a right that the user may lack.
 */
export async function startEngine(db: Database, log: Log, createSchema: boolean): Promise<Engine> {
  let channel: string | null = null;
  const overOurPool: Db = {
    executeSql: (text, values) => db.query(text, values),
    // Says which channel it is; the connection is made only by a process that takes messages (listen.ts).
    listen(name) {
      channel = name;
      return Promise.resolve({ close: () => Promise.resolve() });
    },
  };
  const boss = new PgBoss({
    db: overOurPool,
    schema: SCHEMA,
    createSchema,
    migrate: true,
    schedule: false,
    supervise: false,
    registerInstance: false,
    reindex: false,
    monitorVacuum: false,
    openTelemetry: { enabled: false },
    useListenNotify: db.kind === "postgres",
    monitorIntervalSeconds: SUPERVISE_S,
    maintenanceIntervalSeconds: CLEAN_S,
    // Our queues do not change while a process runs.
    queueCacheIntervalSeconds: DAY_S,
    // After an upgrade, indexes may be built in the background; once it starts and then daily is enough to go on.
    bamIntervalSeconds: DAY_S,
  });
  // Without a listener an error event would end the process.
  boss.on("error", (error) => log("warn", { error: messageOf(error) }, "the queue met a fault; it goes on"));
  boss.on("warning", ({ message }) => log("warn", { warning: message }, "the queue warns"));
  await boss.start();
  return { boss, channel };
}
