import { afterAll, beforeAll } from "vitest";
import { createPgBossDispatcher } from "../../jobs/queue/pgboss_dispatcher.ts";
import { openTestDatabase, type TestDatabase } from "../helpers/database.ts";
import { environmentOf } from "../helpers/process.ts";
import { describeDispatcherConformance, type DispatcherSetup } from "./dispatcher_conformance.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

async function open(): Promise<DispatcherSetup> {
  const lines: string[] = [];
  const log = (_level: string, fields: object, text: string) =>
    void lines.push(`${text} ${JSON.stringify(fields)}`);
  const { db, settings } = database;
  const dispatcher = await createPgBossDispatcher({ db, listenAt: settings.databaseUrl, log });
  return { dispatcher, logged: () => lines.join("\n") };
}

describeDispatcherConformance("pg-boss", {
  handlersAtOnce: 8,
  redeliveryMs: 50_000,
  async make(foreign) {
    if (foreign !== undefined) {
      await (await open()).dispatcher.stop();
      await database.db.query(
        "INSERT INTO nightdesk_queue.job (name, data) VALUES ('batch_processing', $1)",
        [JSON.stringify(foreign)],
      );
    }
    return await open();
  },
  reopen: open,
  settings: () => ({ ...environmentOf(database.settings), DISPATCH: "pgboss" }),
  clean: async () => void await database.db.query("TRUNCATE nightdesk_queue.job_common"),
});
