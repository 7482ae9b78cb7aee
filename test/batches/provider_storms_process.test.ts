/** An outage as real processes live through it: a service that is restarted in the middle, a command that follows. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import type { Database } from "../../lib/database/port.ts";
import { micros } from "../../lib/money.ts";
import { startFakeGemini } from "../fakes/gemini.ts";
import { GEMINI_STORMS } from "../fakes/storms.ts";
import type { WireReply, WireServer } from "../fakes/wire_server.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { dropDatabase, makeDatabase, type TestDatabase } from "../helpers/database.ts";
import { endProcesses, environmentOf, startDesk, startService } from "../helpers/process.ts";

let settings: TestDatabase["settings"];
let env: Record<string, string>;
let gemini: WireServer;
let weather: WireReply | null;
let opened: Database | null;
beforeEach(async () => {
  settings = await makeDatabase();
  weather = GEMINI_STORMS.overloaded;
  gemini = await startFakeGemini({ script: () => weather });
  opened = null;
  env = {
    ...environmentOf(settings),
    ANALYST: "gemini",
    GEMINI_API_KEY: "test-gemini-key",
    GEMINI_BASE_URL: gemini.url,
    BATCH_DELAY_SECONDS: "0",
    RETRY_BASE_SECONDS: "0.05",
  };
});
afterEach(async () => {
  await endProcesses();
  await opened?.close();
  await gemini.close();
  await dropDatabase(settings);
});

/** Joins whoever owns the database, or owns it. */
async function open(): Promise<Database> {
  await opened?.close();
  opened = (await openDatabase({ ...settings, role: "test", onConnectionError: () => {} })).database;
  return opened;
}

interface Row {
  status: string;
  reason: string | null;
  analyzed: number;
  held: number;
  resume_tries: number;
  /** Seconds until it comes back by itself. */
  back_in: number | null;
}

async function readSession(db: Database): Promise<Row> {
  const { rows: [row] } = await db.query<Row>(
    `SELECT status, reason, analyzed, held, resume_tries,
       extract(epoch FROM resume_at - now())::float8 AS back_in FROM batch_processing_sessions`,
  );
  return row;
}

/** Instead of waiting. */
async function letPauseEnd(db: Database): Promise<void> {
  await db.query("UPDATE batch_processing_sessions SET resume_at = now() WHERE status = 'PAUSED'");
}

const POLL = { timeout: 60_000, interval: 50 };
const PAUSED = { status: "PAUSED", reason: "provider_outage", held: 0, analyzed: 0 };

describe("an outage", () => {
  it("outlives the service: stopped in order while it waits, the next one tries when it is time and goes on", async () => {
    const first = startService(env);
    await first.printed(/"msg":"ready"/);
    const database = await open();
    await addSession(database, {
      articles: await addArticles(database, 12),
      budget: micros(1_000_000),
      worstCase: micros(5_000),
    });
    await expect.poll(() => readSession(database), POLL).toMatchObject(PAUSED);
    const { back_in } = await readSession(database);
    expect(back_in).toBeGreaterThan(20);
    expect(back_in).toBeLessThanOrEqual(30);
    const refused = gemini.count;
    expect(refused).toBeLessThanOrEqual(12);

    first.kill("SIGTERM");
    const { code, stderr } = await first.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/"msg":"stopped"}\n$/);
    expect(stderr).not.toMatch(/"level":"error"/);

    const second = startService(env);
    await second.printed(/"msg":"ready"/);
    const again = await open();
    expect(await readSession(again)).toMatchObject({ ...PAUSED, resume_tries: 0 });
    await letPauseEnd(again);
    // This process has not seen a failure yet; still one request is enough to find out.
    await expect.poll(() => readSession(again), POLL).toMatchObject({ ...PAUSED, resume_tries: 1 });
    expect(gemini.count - refused).toBe(1);
    expect((await readSession(again)).back_in).toBeGreaterThan(50);

    weather = null;
    await letPauseEnd(again);
    await expect.poll(() => readSession(again), POLL).toMatchObject({
      status: "COMPLETED",
      analyzed: 12,
      resume_tries: 0,
      back_in: null,
    });
    const { rows } = await again.query("SELECT DISTINCT attempts FROM batch_processing_items");
    expect(rows).toEqual([{ attempts: 1 }]);
    second.kill("SIGTERM");
    expect((await second.ended).code).toBe(0);
  });
});

describe("a command that follows a session into an outage", () => {
  beforeEach(async () => void await addArticles(await open(), 6));

  it("says once that it comes back, waits for it, and ends with what was done", async () => {
    const batch = startDesk(["batch", "--yes"], env);
    await batch.printed(
      /Paused, the provider is out of order: it comes back by itself in [\d.]+s\. Ctrl-C leaves it paused/,
    );
    weather = null;
    await letPauseEnd(opened!);
    const { code, stdout, stderr } = await batch.ended;
    expect(stderr.match(/Paused, /g)).toHaveLength(1);
    expect(stderr).toMatch(/It goes on\./);
    expect(stdout).toMatch(/^Session 1 COMPLETED: 6 of 6 analysed/);
    expect(code).toBe(0);
  });

  it("leaves it paused at Ctrl-C, until somebody resumes it", async () => {
    const batch = startDesk(["batch", "--yes"], env);
    await batch.printed(/Paused, the provider is out of order/);
    batch.kill("SIGINT");
    const { code, stdout, stderr } = await batch.ended;
    expect(stderr).toMatch(/It stays paused\./);
    expect(stdout).toMatch(
      /^Session 1 PAUSED \(an operator paused it\)[^\n]*\nGo on with: deno task desk resume 1\n$/,
    );
    expect(code).toBe(1);
    expect(await readSession(opened!)).toMatchObject({ status: "PAUSED", reason: "operator", back_in: null });
    weather = null;
    const resumed = await startDesk(["resume", "1"], env).ended;
    expect(resumed.stdout).toMatch(/^Session 1 COMPLETED/);
    expect(resumed.code).toBe(0);
  });
});
