import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../../lib/database/connect.ts";
import type { Database } from "../../../lib/database/port.ts";
import { addArticles } from "../../helpers/articles.ts";
import { dropDatabase, makeDatabase, type TestDatabase } from "../../helpers/database.ts";
import { endProcesses, environmentOf, type RunningProcess, startService } from "../../helpers/process.ts";
import { startFakeGemini } from "../../fakes/gemini.ts";
import { type FakeTelegram, type FakeUser, startFakeTelegram } from "../../fakes/telegram.ts";
import type { WireServer } from "../../fakes/wire_server.ts";
import { FakeProviderGate } from "./provider_gate.ts";

let settings: TestDatabase["settings"];
let telegram: FakeTelegram;
let gemini: WireServer;
let gate: FakeProviderGate;
let ann: FakeUser;
/** Everything that any of the processes printed. */
let printed: string;

beforeEach(async () => {
  settings = await makeDatabase();
  printed = "";
  gate = new FakeProviderGate();
  gemini = await startFakeGemini({ script: async () => (await gate.pass(), null) });
  telegram = await startFakeTelegram({ waitMs: 25_000 });
  ann = telegram.user(1001, { first_name: "Ann" });
  const database = await open();
  await addArticles(database, 6);
  await database.close();
});
afterEach(async () => {
  gate.open();
  await endProcesses();
  await Promise.all([telegram.close(), gemini.close()]);
  await dropDatabase(settings);
  const [id, secret] = telegram.token.split(":");
  expect(printed).not.toContain(secret);
  expect(printed).not.toContain(`bot${id}`);
});

async function open(): Promise<Database> {
  const { database } = await openDatabase({ ...settings, role: "test", onConnectionError: () => {} });
  return database;
}

async function serve(env: Record<string, string> = {}): Promise<RunningProcess> {
  const service = startService({
    ...environmentOf(settings),
    PORT: "0",
    ANALYST: "gemini",
    GEMINI_API_KEY: "test-gemini-key",
    GEMINI_BASE_URL: gemini.url,
    GEMINI_RPM: "100000",
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    TELEGRAM_OPERATORS: "1001",
    TELEGRAM_ALERT_CHATS: "1001",
    LOG_LEVEL: "debug",
    ...env,
  });
  void service.ended.then(({ stdout, stderr }) => printed += stdout + stderr);
  await service.printed(/"msg":"the bot is there"/);
  return service;
}

async function kill(service: RunningProcess): Promise<void> {
  service.kill("SIGKILL");
  await service.ended;
}

async function readSessions(): Promise<{ status: string; analyzed: number }[]> {
  const database = await open();
  const { rows } = await database.query<{ status: string; analyzed: number }>(
    "SELECT status, analyzed FROM batch_processing_sessions ORDER BY number",
  );
  await database.close();
  return rows;
}

/** Of every request that may cost money. */
async function readCallStates(): Promise<string[]> {
  const database = await open();
  const { rows } = await database.query<{ state: string }>("SELECT state FROM paid_calls ORDER BY call_id");
  await database.close();
  return rows.map(({ state }) => state);
}

/** Articles of a killed process come back when its leases run out; a test does not wait that long. */
async function expireLeases(): Promise<void> {
  const database = await open();
  await database.query("UPDATE batch_processing_items SET lease_until = now() WHERE status = 'PROCESSING'");
  await database.query("UPDATE telegram_updates SET lease_until = now() WHERE handled_at IS NULL");
  await database.query("UPDATE telegram_progress SET next_at = now()");
  await database.close();
}

describe("a service that is told to end while Telegram is silent", () => {
  it("claims nothing more, takes in the answers that are out, and ends within seconds", async () => {
    gate.let(0);
    const service = await serve({ CONCURRENCY: "2" });
    const question = await ann.asks("/start_batch 6");
    await ann.presses("Start", question);
    await expect.poll(() => gemini.count, { timeout: 60_000 }).toBe(2);
    const fault = telegram.fail({ method: "sendMessage", times: 9 }, { kind: "unanswered", by: "silent" });
    const said = ann.says("/whoami");
    await telegram.until(
      () => telegram.callsOf("sendMessage").some(({ outcome }) => outcome === "dropped") || null,
      "an answer that hangs",
    );
    const comeBack = await telegram.goAway("silent");
    const from = Date.now();
    service.kill("SIGTERM");
    await service.printed(/"msg":"stopping/);
    gate.open();
    expect((await service.ended).code).toBe(0);
    // Cut after 2 s, and the last alerts have 3 s; one call that waits for its own end would take 20 s.
    expect(Date.now() - from).toBeLessThan(15_000);
    expect(gemini.count).toBe(2);
    expect(await readSessions()).toMatchObject([{ status: "PROCESSING", analyzed: 2 }]);
    expect(await readCallStates()).toEqual(["SETTLED", "SETTLED"]);
    // What was asked is answered by the next one.
    fault.cancel();
    await comeBack();
    await serve();
    await ann.chat.message("operator", said);
  }, 120_000);
});

describe("a service that is killed", () => {
  it("while a question waits: its button works in the next one, and starts one session", async () => {
    const killed = await serve();
    const question = await ann.asks("/start_batch 4");
    await kill(killed);
    // Pressed while nobody is there: Telegram keeps it.
    const press = ann.taps("Start", question);
    const service = await serve();
    await telegram.until(() => telegram.answersTo(press)[0], "an answer to the press");
    expect(telegram.answersTo(press)).toEqual([{ text: "Session 1 has started.", alert: false }]);
    await ann.chat.shows(question, /Session 1/);
    // The phone had not shown the edit yet.
    const late = ann.taps("Start", question, 0);
    await telegram.until(() => telegram.answersTo(late)[0], "an answer to the second press");
    expect(telegram.answersTo(late)[0]!.text).toMatch(/already/);
    service.kill("SIGTERM");
    expect((await service.ended).code).toBe(0);
    expect(await readSessions()).toHaveLength(1);
  }, 120_000);

  it(
    "between the start and its answer: the next one finishes the answer and starts nothing again",
    async () => {
      gate.let(0);
      const killed = await serve();
      const question = await ann.asks("/start_batch 4");
      // The press is carried out, and its handler hangs over telling so.
      telegram.fail({ method: "answerCallbackQuery" }, { kind: "unanswered", by: "silent" });
      const press = ann.taps("Start", question);
      await expect.poll(readSessions, { timeout: 60_000 }).toMatchObject([{ status: "PROCESSING" }]);
      await telegram.until(
        () => telegram.callsOf("answerCallbackQuery").length === 1 || null,
        "the answer that hangs",
      );
      await kill(killed);
      await expireLeases();
      gate.open();
      await serve();
      await telegram.until(() => telegram.answersTo(press)[0], "an answer to the press");
      await ann.chat.shows(question, /Session 1/);
      expect(await readSessions()).toHaveLength(1);
      expect(ann.chat.fromBot.filter(({ text }) => /Session 1 is at work/.test(text)).length)
        .toBeLessThanOrEqual(1);
    },
    120_000,
  );

  it("in the middle of a session: the next one goes on editing the same message, to the end", async () => {
    gate.let(2);
    const killed = await serve();
    const progress = await ann.asks("/start_batch 6");
    await ann.presses("Start", progress);
    await ann.chat.shows(progress, /2 of 6/);
    await kill(killed);
    await expireLeases();
    gate.open();
    await serve();
    await ann.chat.shows(progress, /Session 1 is complete/);
    await ann.chat.message(/Session 1 is complete[\s\S]*6 of 6/, progress);
    const said = ann.chat.fromBot.map(({ text }) => text);
    expect(said.filter((text) => text.includes("Session 1 is complete"))).toHaveLength(2);
    // What the killed one had asked and never heard of is charged, and told.
    expect(said.filter((text) => !text.includes("Session 1 is complete"))).toEqual([
      expect.stringContaining("Unknown outcomes"),
    ]);
    expect(await readSessions()).toMatchObject([{ status: "COMPLETED", analyzed: 6 }]);
  }, 120_000);

  it("while a command is on its way: the next one answers it, once", async () => {
    const killed = await serve();
    telegram.fail({ method: "sendMessage" }, { kind: "unanswered", by: "silent" });
    const said = ann.says("/whoami");
    await telegram.until(() => telegram.callsOf("sendMessage").length === 1 || null, "an answer on its way");
    await kill(killed);
    await expireLeases();
    await serve();
    await ann.chat.message("operator", said);
    await telegram.settled();
    expect(ann.chat.fromBot).toHaveLength(1);
  }, 120_000);
});
