/**
 * Registers crons whose runs are rows of the table `fired`, and runs them until it is killed.
 * RUNNER: the name of this process. HANG: any text makes the runs never end.
 */
import { registerCrons } from "../../../jobs/crons.ts";
import { openDatabase } from "../../../lib/database/connect.ts";
import { makeJobs } from "../jobs.ts";

const runner = Deno.env.get("RUNNER")!;
const crons = registerCrons(["a", "b", "c"].map((job) => ({
  job,
  help: "",
  schedule: () => "0 * * * *",
  limitMs: 600_000,
  async run({ db }, { slot }) {
    await db.query("INSERT INTO fired (job, slot, runner) VALUES ($1, $2, $3)", [job, slot, runner]);
    if (Deno.env.get("HANG")) await new Promise(() => {});
    return { text: "", detail: {} };
  },
})));
const { database: db } = await openDatabase({
  databaseUrl: Deno.env.get("DATABASE_URL") ?? null,
  dataDir: Deno.env.get("DATA_DIR")!,
  role: "test",
  onConnectionError: () => {},
});
await crons.begin(makeJobs(db, {}, { runner }).context);
console.log("ready");
