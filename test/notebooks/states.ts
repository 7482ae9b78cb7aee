/** Databases in the states that a notebook meets, each on the embedded database or on the server of the tests. */
import { join } from "node:path";
import { holdItems } from "../../lib/budget/ledger/hold_items.ts";
import { settleCalls } from "../../lib/budget/ledger/settle_calls.ts";
import { openDatabase } from "../../lib/database/connect.ts";
import { fromFileUrl } from "../../lib/database/paths.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession, PLAIN_ANALYSIS } from "../helpers/articles.ts";
import { makeDatabase, type TestDatabase } from "../helpers/database.ts";
import { desk, environmentOf } from "../helpers/process.ts";

export type Settings = TestDatabase["settings"];

const SAMPLES = fromFileUrl(new URL("../../lib/articles/samples", import.meta.url));

/** Migrated, and nothing in it. */
export async function makeEmpty(): Promise<Settings> {
  return await makeDatabase();
}

/** One session of the offline analyst over the bundled samples, made by the desk's own commands. */
export async function makeOneSession(): Promise<Settings> {
  return await makeAnalysed(SAMPLES);
}

/** Everything of a folder taken in and analysed offline. */
export async function makeAnalysed(folder: string): Promise<Settings> {
  const settings = await makeDatabase();
  const env = {
    ...environmentOf(settings),
    ANALYST: "offline",
    BATCH_DELAY_SECONDS: "0",
    BATCH_BUDGET_USD: "5",
  };
  for (const command of [["ingest", folder], ["batch", "--yes"]]) {
    const { code, stderr } = await desk(command, env);
    if (code !== 0) throw new Error(`desk ${command.join(" ")} failed: ${stderr}`);
  }
  return settings;
}

/** A session at work: one article analysed, two on their way, the others waiting; titles as strangers write them. */
export async function makeAtWork(): Promise<Settings> {
  const settings = await makeDatabase();
  const { database: db } = await openDatabase({ ...settings, role: "test", onConnectionError() {} });
  const articles = await addArticles(db, 6);
  await db.query(
    `UPDATE articles SET title = '<script>alert(' || id || ')</script> **x** \u202e', url = 'javascript:' || id`,
  );
  const { session_id: sessionId } = await addSession(db, { articles, budget: micros(100_000) });
  const [item] = await holdItems(db, { sessionId, limit: 3, worker: "worker:test", leaseMs: 60_000 });
  const usage = { input_tokens: 900, output_tokens: 300, thought_tokens: 0, cached_tokens: 0, credits: null };
  await settleCalls(db, sessionId, [{
    outcome_id: crypto.randomUUID(),
    item_id: item.item_id,
    lease_token: item.lease_token,
    call: {
      call_id: item.call_id,
      state: "SETTLED",
      bill: micros(675),
      ...usage,
      answered_model: "gemini-3.1-flash-lite",
      failure: null,
      detail: null,
    },
    item: {
      to: "ANALYZED",
      stage: "ANALYSIS",
      wait_ms: 0,
      refund_attempt: false,
      error_class: null,
      error: null,
      permanent: false,
    },
    analysis: {
      ...PLAIN_ANALYSIS,
      topics: ["<b>topic</b>"],
      weak_signals: [{
        type: "<i>type</i>",
        description: "x".repeat(600),
        confidence: 1,
        implications: "<img src=x onerror=alert(1)>",
        evidence: ["</td></tr></table><script>alert(2)</script>"],
        timeframe: "LONG_TERM",
      }],
    },
    research: null,
  }], "worker:test");
  await db.close();
  return settings;
}

/** A folder in which there is no database at all. */
export async function makeNowhere(): Promise<Settings> {
  const folder = await Deno.makeTempDir({ prefix: "nd-" });
  return { databaseUrl: null, dataDir: join(folder, "nothing") };
}
