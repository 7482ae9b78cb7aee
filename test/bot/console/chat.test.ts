import { join } from "node:path";
import pc from "picocolors";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { renderMessage } from "../../../bot/console/render_message.ts";
import { describeProgress, sessionButtons } from "../../../bot/replies/session.ts";
import { openDatabase } from "../../../lib/database/connect.ts";
import type { Database } from "../../../lib/database/port.ts";
import { micros } from "../../../lib/money.ts";
import { addArticles, addSession } from "../../helpers/articles.ts";
import {
  dropDatabase,
  emptyDatabase,
  makeDatabase,
  openTestDatabase,
  type TestDatabase,
} from "../../helpers/database.ts";
import {
  desk,
  deskArguments,
  type Ended,
  endProcesses,
  environmentOf,
  startDeno,
  startService,
} from "../../helpers/process.ts";
import { AT, makeDetail } from "../reply_facts.ts";

let settings: TestDatabase["settings"];
let env: Record<string, string>;

function use(chosen: TestDatabase["settings"]): void {
  settings = chosen;
  env = { ...environmentOf(chosen), BATCH_DELAY_SECONDS: "0" };
}

afterEach(endProcesses);

/** This process owns the database; every chat joins it, as it joins a service. */
function useServedDatabase(): (work: (database: Database) => Promise<unknown>) => Promise<void> {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await openTestDatabase();
  });
  beforeEach(async () => {
    await emptyDatabase(test.db);
    use(test.settings);
  });
  afterAll(() => test.close());
  return async (work) => void await work(test.db);
}

/** Nobody has opened it when the chat does. */
function useClosedDatabase(): (work: (database: Database) => Promise<unknown>) => Promise<void> {
  beforeEach(async () => use(await makeDatabase()));
  afterEach(async () => {
    await endProcesses();
    await dropDatabase(settings);
  });
  return async (work) => {
    const { database } = await openDatabase({ ...settings, role: "test", onConnectionError: () => {} });
    await work(database);
    await database.close();
  };
}

function startChat(more: Record<string, string> = {}) {
  return startDeno(deskArguments(["chat"], { ...env, ...more }), { ...env, ...more });
}

/** A whole chat from a script. */
async function chat(script: string, more: Record<string, string> = {}): Promise<Ended> {
  const process = startChat(more);
  await process.type(script);
  await process.closeInput();
  return await process.ended;
}

describe("desk chat from a script", () => {
  const prepare = useServedDatabase();

  it("starts a session by the number of its button, sees it to its end, and shows edits and result", async () => {
    await prepare((database) => addArticles(database, 3));
    const { code, stdout, stderr } = await chat("/start_batch 3\n1\n");
    expect(stderr).toBe("");
    const [, question, pressed] = stdout.split(/^> .*$/m);
    expect(stdout).toMatch(/^Nightdesk with the offline analyst\.\n/);
    expect(question).toMatch(/▎ Read 3 articles\?[\s\S]*\[1\] Start, at most \$0\.3000 {2}\[2\] Cancel/);
    expect(pressed).toMatch(/“Session 1 has started\.”/);
    expect(pressed).toMatch(/Session 1 is complete[\s\S]*3 of 3/);
    expect(code).toBe(0);
    await prepare(async (database) => {
      const { rows } = await database.query(
        "SELECT status, started_by FROM batch_processing_sessions",
      );
      expect(rows).toEqual([{ status: "COMPLETED", started_by: "operator:cli" }]);
      // What only this chat could have used is gone with it.
      const { rows: [left] } = await database.query<{ left: number }>(
        "SELECT (SELECT count(*) FROM telegram_updates) + (SELECT count(*) FROM telegram_progress) AS left",
      );
      expect(left!.left).toBe(0);
    });
  });

  it("saves pictures and says where", async () => {
    await prepare((database) => addArticles(database, 2));
    const { stdout } = await chat("/start_batch\n1\n");
    expect(stdout).toMatch(/2 of 2/);
    const { stdout: told } = await chat("/cost 7\n");
    const path = /^▎ Picture (\S+\.png)$/m.exec(told)?.[1];
    expect(path).toContain(join(settings.dataDir, "pictures"));
    const bytes = await Deno.readFile(path!);
    expect([...bytes.subarray(1, 4)]).toEqual([..."PNG"].map((letter) => letter.charCodeAt(0)));
  });

  it("tells of a number that is no button, and of a button that is gone; quit ends it before the rest", async () => {
    await prepare((database) => addArticles(database, 2));
    const { stdout, code } = await chat("7\n/start_batch 1\n2\n1\nquit\n/whoami\n");
    expect(stdout).toMatch(/There is no button 7 now/);
    expect(stdout).toMatch(/Declined by You[\s\S]*> 1\n\nThere is no button 1 now/);
    expect(stdout).not.toContain("whoami");
    expect(code).toBe(0);
  });

  it("neutralises what a source wrote", async () => {
    await prepare(async (database) => {
      await addArticles(database, 1);
      await database.query("UPDATE articles SET title = $1", ["Fees\u001b]0;owned\u0007\u001b[2Jend\u202e"]);
    });
    const { stdout } = await chat("/articles ready\n/analysis 1\n");
    expect(stdout).toContain("Fees");
    // deno-lint-ignore no-control-regex -- it is what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });

  it("tells alerts, also those that were raised while no terminal was open, each once", async () => {
    const { stdout: first } = await chat("/whoami\n");
    expect(first).not.toMatch(/Session/);
    await prepare(async (database) => {
      const session = await addSession(database, {
        articles: await addArticles(database, 2),
        budget: micros(100_000),
        simulated: true,
        provider: "offline",
      });
      await database.query("UPDATE batch_processing_sessions SET status = 'PAUSED', reason = 'operator'");
      await database.query(
        "UPDATE batch_processing_sessions SET spent = 90000 WHERE session_id = $1",
        [session.session_id],
      );
    });
    const { stdout: second } = await chat("/whoami\n");
    expect(second).toMatch(/Budget critical[\s\S]*Session 1 has spent 90 %/);
    const { stdout: third } = await chat("/whoami\n");
    expect(third).not.toMatch(/Budget critical/);
  });
});

describe("the chat in the README", () => {
  useClosedDatabase();

  /** What may differ from run to run, covered: figures, durations, dates, progress. */
  const mask = (line: string) =>
    line.trimEnd().replaceAll(/[░▓]+/g, "bar").replaceAll(/\d+ [A-Z][a-z]{2,3} \d{4}/g, "date")
      .replaceAll(/under 1s|\d+m? ?\d*s/g, "time").replaceAll(/\d+/g, "0").replaceAll(/ {2,}/g, "  ");
  /** What stands between empty lines, and what is typed. */
  const blocksOf = (text: string) =>
    text.replaceAll(/^> .*$/gm, "\n$&\n").split(/\n(?!▎)\s*/).map((block) =>
      block.split("\n").map(mask).join("\n")
    ).filter((block) => block !== "");

  it("looks as it does when it is run", async () => {
    const readme = await Deno.readTextFile(new URL("../../../README.md", import.meta.url));
    const transcript = /^```\n\$ deno task desk chat\n([\s\S]*?)^```$/m.exec(readme)![1]!;
    const typed = [...transcript.matchAll(/^> (.*)$/gm)].map(([, line]) => line);
    await desk(["ingest", "lib/articles/samples"], env);
    const { stdout } = await chat(`${typed.join("\n")}\n`);
    const [shown, ran] = [blocksOf(transcript), blocksOf(stdout)];
    // How often the progress is edited before the end is chance, so one such message is made here.
    const isProgress = (block: string) => block.includes("Session 0 is at work") || block.includes(" · bar ");
    expect(ran.filter((block) => !isProgress(block))).toEqual(shown.filter((block) => !isProgress(block)));
    const detail = makeDetail({
      number: 1,
      total: 10,
      analyzed: 0,
      failed: 0,
      retries: 0,
      spent: micros(0),
      budget: micros(50_000),
      simulated: true,
    }, { perMinute: null, etaMs: null });
    const colors = pc.createColors(false);
    const { text, entities } = describeProgress(detail, AT);
    const message = renderMessage(
      {
        id: 1,
        date: 0,
        text,
        entities,
        picture: null,
        keyboard: sessionButtons(detail.session).inline_keyboard,
      },
      { colors, columns: 80, numberOf: () => 3 },
    );
    expect(shown.filter(isProgress)).toEqual(blocksOf(message.join("\n")));
  });
});

describe("desk chat beside a service", () => {
  const prepare = useClosedDatabase();

  it("hands it the work and follows; both tell the same, and neither touches the other's messages", async () => {
    const service = startService(env);
    await service.printed(/"msg":"ready"/);
    await prepare((database) => addArticles(database, 3));
    const { stdout, code } = await chat("/start_batch 3\n1\n");
    expect(stdout).toMatch(/^Nightdesk\. The service is running and does the work\.\n/);
    expect(stdout).toMatch(/Session 1 is complete[\s\S]*3 of 3/);
    expect(code).toBe(0);
    const { stdout: monitor } = await desk(["monitor", "--json"], env);
    expect(JSON.parse(monitor).workers).toEqual([expect.objectContaining({ role: "service" })]);
    service.kill("SIGTERM");
    expect((await service.ended).code).toBe(0);
  });
});

describe("desk chat that is interrupted", () => {
  const prepare = useClosedDatabase();

  it("leaves in order, and the next one goes on with the session", async () => {
    await prepare((database) => addArticles(database, 2));
    const slow = { BATCH_SIZE: "1", BATCH_DELAY_SECONDS: "3600" };
    const process = startChat(slow);
    await process.type("/start_batch 2\n1\n");
    await process.printed(/1 of 2/);
    process.kill("SIGINT");
    const { code, stderr } = await process.ended;
    expect(stderr).toMatch(
      /^Session 1 is not done\. It goes on with the service, or with the next desk chat\.\n$/,
    );
    expect(code).toBe(0);
    await prepare((database) =>
      database.query("UPDATE batch_processing_items SET not_before = now() WHERE status = 'PENDING'")
    );
    const { stdout } = await chat("/status\n");
    expect(stdout).toMatch(/Session 1 is complete[\s\S]*2 of 2/);
  });
});
