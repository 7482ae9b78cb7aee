/** Makes the database fit for pg-boss: its schema at this program's version, and our queues with their rules. */
import type { PgBoss, QueueOptions, QueueResult } from "pg-boss";
import packageJson from "pg-boss/package.json" with { type: "json" };
import type { Database } from "../../lib/database/port.ts";
import { messageOf, UserError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { QUEUES } from "./dispatcher.ts";
import { type Engine, SCHEMA, startEngine } from "./pgboss_engine.ts";

/** The version of the schema that this pg-boss works with. */
const WANTED_VERSION = packageJson.pgboss.schema;

/** The process that took a message says this often that it lives; silent for longer, the message comes again. s */
export const HEARTBEAT_S = 20;

const RULES = {
  // Wakes the other processes at the insert; without that they would find it at their next look.
  notify: true,
  heartbeatSeconds: HEARTBEAT_S,
  // A handler that takes longer hangs. The longest, reading all feeds, gives up after half of that.
  expireInSeconds: 3_600,
  // Waits of 1 to 2 s, then twice as long each time: what a restart of something else breaks has half a minute.
  retryLimit: 5,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 30,
  // Nobody listened for a day: what was asked for then, nobody waits for now.
  retentionSeconds: 86_400,
  // Messages are deleted when they are done (pgboss_inbox.ts); this is for those that failed for good.
  deleteAfterSeconds: 600,
} satisfies QueueOptions & { notify: boolean };

export interface PreparedEngine extends Engine {
  /** What had to be done, in words; null: nothing. */
  prepared: string | null;
}

/** Throws `UserError` when the schema is from a newer program, or the database user may not make it. */
export async function prepareEngine(db: Database, log: Log): Promise<PreparedEngine> {
  try {
    const before = await readState(db);
    if (before.version !== null && before.version > WANTED_VERSION) {
      throw new UserError(
        `Cannot use the queue in schema ${SCHEMA} of ${db.where}: it is from a newer Nightdesk (version ` +
          `${before.version}, this program works with ${WANTED_VERSION}). Update Nightdesk`,
      );
    }
    const engine = await startEngine(db, log, !before.schemaIsThere);
    await makeQueues(engine.boss);
    return { ...engine, prepared: describe(before.version) };
  } catch (error) {
    if (!isForbidden(error)) throw error;
    throw new UserError(
      `Cannot prepare the queue in schema ${SCHEMA} of ${db.where}: ${
        messageOf(error)
      }. DISPATCH=pgboss wants a ` +
        `database user that may create and own this schema: grant it CREATE on the database, or make the schema for it`,
    );
  }
}

async function readState(db: Database): Promise<{ schemaIsThere: boolean; version: number | null }> {
  const { rows: [{ there, installed }] } = await db.query<{ there: boolean; installed: boolean }>(
    "SELECT to_regnamespace($1) IS NOT NULL AS there, to_regclass($1 || '.version') IS NOT NULL AS installed",
    [SCHEMA],
  );
  if (!installed) return { schemaIsThere: there, version: null };
  const { rows } = await db.query<{ version: number }>(`SELECT version FROM ${SCHEMA}.version`);
  return { schemaIsThere: there, version: rows[0]?.version ?? null };
}

async function makeQueues(boss: PgBoss): Promise<void> {
  const made = new Map((await boss.getQueues([...QUEUES])).map((queue) => [queue.name, queue]));
  for (const name of QUEUES) {
    const queue = made.get(name);
    // "short": of messages with the same key only one waits, so a thousand identical wake-ups are one row. One that
    // comes while its like is being handled waits its turn: what it tells of may have come too late for the first.
    if (!queue) await boss.createQueue(name, { ...RULES, policy: "short" });
    else if (differs(queue)) await boss.updateQueue(name, RULES);
  }
}

function differs(queue: QueueResult): boolean {
  return Object.entries(RULES).some(([name, value]) => queue[name as keyof typeof RULES] !== value);
}

function describe(before: number | null): string | null {
  if (before === WANTED_VERSION) return null;
  return before === null ? `queue version ${WANTED_VERSION}` : `queue version ${before} to ${WANTED_VERSION}`;
}

/** insufficient_privilege, of a statement of ours or of pg-boss, which wraps some. */
function isForbidden(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as { code?: unknown }).code === "42501" || isForbidden(error.cause);
}
