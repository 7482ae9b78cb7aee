import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { finishIfDone } from "../../lib/batches/change_session.ts";
import { reclaimExpired } from "../../lib/batches/leases.ts";
import type { Session } from "../../lib/batches/types.ts";
import { exactUsd, type Micros, micros } from "../../lib/money.ts";
import { claim, fail, LEASE_MS, readSession, workToTheEnd } from "../batches/work_session.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { keepDesk } from "../helpers/kept_desk.ts";
import { endProcesses, environmentOf, type RunningProcess, startDesk } from "../helpers/process.ts";

const desk = keepDesk();
const test = useTestDatabase();
let env: Record<string, string>;
beforeAll(() => {
  env = environmentOf(test.settings);
});
afterEach(endProcesses);

/** A session that the offline analyst can go on with. */
async function addWork(articles: number, budget = 900_000): Promise<Session> {
  return await addSession(test.db, {
    articles: await addArticles(test.db, articles),
    budget: micros(budget),
    provider: "offline",
    simulated: true,
    settings: { maxAttempts: 1 },
  });
}

async function addFailed(articles: number): Promise<Session> {
  const { session_id } = await addWork(articles);
  await fail(test.db, session_id, await claim(test.db, session_id, articles), "retry");
  await finishIfDone(test.db, session_id, "test");
  return await readSession(test.db, session_id);
}

/** A session whose worker died in the middle of two calls. */
async function addUnknown(): Promise<Session> {
  const { session_id } = await addWork(3);
  await claim(test.db, session_id, 2);
  await reclaimExpired(test.db, "cleanup", new Date(Date.now() + 2 * LEASE_MS));
  return await readSession(test.db, session_id);
}

describe("desk unknown and desk resolve", () => {
  it("list the calls with how to resolve them, take a word, and say what came back", async () => {
    const { session_id } = await addUnknown();
    const list = await desk(["unknown"], env);
    expect(list.stdout).toMatch(
      /^call 1 {2}session 1 {2}analysis {2}offline\/[^\n]* {2}\$0\.0010 simulated\n {2}sent [^\n]*worker lost: [^\n]*\n {2}#\d+ Article/,
    );
    expect(list.stdout).toMatch(
      /\n2 calls, charged in full [^\n]*\$0\.0020 simulated[^\n]*\n[^\n]*desk resolve <call> paid/,
    );
    const paid = await desk(["resolve", "1", "paid", "--bill", "0.0004"], env);
    expect(paid).toEqual({
      code: 0,
      stdout: "Call 1 counts as paid; $0.0006 simulated went back to session 1\n" +
        "Session 1: $0.0014 simulated of $0.9000 spent; $0.0010 simulated of it still unknown\n",
      stderr: "",
    });
    const rest = await desk(["resolve", "--session", "1", "unpaid"], env);
    expect(rest.stdout).toMatch(/^Call 2 counts as not paid; \$0\.0010 simulated went back to session 1\n/);
    expect((await desk(["unknown"], env)).stdout).toBe("The outcome of every call is known\n");
    expect(await readSession(test.db, session_id)).toMatchObject({ spent: 400, unknown: 0 });
  });

  it("end with exit code 1 when somebody said otherwise before, and name them", async () => {
    await addUnknown();
    await desk(["resolve", "1", "paid"], env);
    const { code, stdout } = await desk(["resolve", "1", "unpaid"], env);
    expect(stdout).toMatch(
      /^Call 1 was resolved before, by operator:cli at [^\n]*: paid, [^\n]*Nothing was changed\n$/,
    );
    expect(code).toBe(1);
    expect((await desk(["resolve", "1", "paid"], env)).code).toBe(0);
  });

  it("about what there is not are refused in one line with exit code 1", async () => {
    const lines: [string, RegExp][] = [
      ["resolve 99 paid", /^There is no call 99\. [^\n]*\n$/],
      ["resolve --session 99 paid", /^There is no session 99\. [^\n]*\n$/],
      ["unknown 99", /^There is no session 99\. [^\n]*\n$/],
      ["budget 99", /^There is no session 99\. [^\n]*\n$/],
    ];
    for (const [line, wanted] of lines) {
      const { code, stdout, stderr } = await desk(line.split(" "), env);
      expect(stderr).toMatch(wanted);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    }
  });
});

describe("desk budget", () => {
  it("shows the caps, and changes the session's and the day's", async () => {
    await addWork(1);
    expect((await desk(["budget"], env)).stdout).toMatch(
      /^Session {2}1 PROCESSING: \$0\.0000 simulated of \$0\.9000 spent \(0 %\), \$0\.9000 left\nDay {6}[\d-]+ \(UTC\): \$0\.0000 simulated spent; there is no cap\n/,
    );
    const changed = await desk(["budget", "1", "--budget", "1.25", "--day", "2"], env);
    expect(changed.stdout).toMatch(
      /of \$1\.25 spent[^\n]*\nDay[^\n]* of \$2\.00 spent[^\n]*\n +changed by operator:cli/,
    );
    expect((await desk(["budget", "--day", "none"], env)).stdout).toMatch(
      /there is no cap\n +changed by operator:cli/,
    );
    const back = await desk(["budget", "--day", "default"], { ...env, DAY_BUDGET_USD: "7" });
    expect(back.stdout).toMatch(/of \$7\.00 spent/);
    expect(back.stdout).not.toMatch(/changed by/);
    const json = await desk(["budget", "--json"], env);
    expect(JSON.parse(json.stdout)).toMatchObject({
      session: { budget: 1_250_000 },
      dayCap: null,
      simulated: true,
    });
  });

  it("below what is spent and held is refused to the last digit", async () => {
    const { session_id } = await addWork(1);
    await claim(test.db, session_id, 1);
    const { code, stderr } = await desk(["budget", "--budget", "0.0009"], env);
    expect(stderr).toBe(
      "Cannot set the budget of session 1: wanted at least $0.001000, of which $0.000000 are spent and $0.001000 held, got $0.000900\n",
    );
    expect(code).toBe(1);
  });
});

describe("desk recover", () => {
  it("names the budget that the next article needs, and finishes with it", async () => {
    const { session_id } = await addWork(3, 1_000);
    await workToTheEnd(test.db, session_id);
    const { code, stderr } = await desk(["recover"], env);
    // What the next article can cost was computed anew.
    const { rows: [{ needed }] } = await test.db.query<{ needed: Micros }>(
      `SELECT s.spent + min(i.worst_case) AS needed
       FROM batch_processing_sessions s JOIN batch_processing_items i USING (session_id)
       WHERE i.status = 'SKIPPED' GROUP BY s.spent`,
    );
    expect(stderr).toContain(
      "Session 1: nothing could be queued again\n  no money for: 2; the next one needs a budget of at least " +
        `$${exactUsd(needed)}: deno task desk recover 1 --budget <usd>\n`,
    );
    expect(code).toBe(1);
    const raised = await desk(["recover", "1", "--budget", "0.5"], env);
    expect(raised.stdout).toMatch(/^Session 1 COMPLETED: 3 of 3 analysed/);
    expect(raised.code).toBe(0);
  });

  it("--all works off every session that ended short, one after another", async () => {
    await addFailed(2);
    await addFailed(3);
    const { code, stdout, stderr } = await desk(["recover", "--all"], env);
    expect(stderr).toMatch(
      /Session 1: 2 failed articles[^]*Session 2: 3 failed articles[^]*waits: another session is active/,
    );
    expect(stdout).toMatch(/^Session 1 COMPLETED: 2 of 2 [^\n]*\nSession 2 COMPLETED: 3 of 3 [^\n]*\n$/);
    expect(code).toBe(0);
    expect(await desk(["recover", "--all"], env)).toMatchObject({
      code: 0,
      stdout: "Nothing to recover in the sessions that ended lately\n",
    });
  });

  it("--all prints the finished sessions as one JSON document", async () => {
    await addFailed(1);
    await addFailed(1);
    const { stdout } = await desk(["recover", "--all", "--json"], env);
    expect(JSON.parse(stdout)).toMatchObject([{ number: 1, status: "COMPLETED" }, {
      number: 2,
      status: "COMPLETED",
    }]);
  });
});

describe("desk retry", () => {
  it("takes back that articles were given up, each once, and wants to know which", async () => {
    const [first, second] = await addArticles(test.db, 2);
    await test.db.query("UPDATE articles SET given_up = 'The request was refused'");
    const refused = await desk(["retry"], env);
    expect(refused).toMatchObject({
      code: 2,
      stderr: "Cannot retry: wanted the numbers of articles, or --all, one or the other\n",
    });
    expect((await desk(["retry", String(first)], env)).stdout).toBe(`1 article ready again: #${first}\n`);
    expect((await desk(["retry", "--all", "--json"], env)).stdout).toBe(`[\n  ${second}\n]\n`);
    expect((await desk(["retry", "--all"], env)).stdout).toBe("None of them was given up\n");
  });
});

describe("a command that was killed in the middle", () => {
  it("is cleaned up, resolved and recovered by others, and every sum adds up in the end", async () => {
    await addArticles(test.db, 60, 60_000);
    const killed = startDesk(["batch", "--yes", "--budget", "5"], {
      ...env,
      MAX_ATTEMPTS: "1",
      BATCH_DELAY_SECONDS: "0",
      CONCURRENCY: "2",
    });
    await killed.printed(/Session 1 started/);
    await killWithCallsOut(killed);
    await test.db.query(
      "UPDATE batch_processing_items SET lease_until = now() - interval '1 s' WHERE status = 'PROCESSING'",
    );
    const cleaned = await desk(["cleanup"], env);
    expect(cleaned.stdout).toMatch(
      /^Taken back from workers that are gone: \d+ articles? [^\n]*\n\d+ calls? charged in full/,
    );
    expect((await desk(["resolve", "--session", "1", "unpaid"], env)).stdout).toMatch(
      /count[s]? as not paid/,
    );
    await desk(["resume", "1"], { ...env, MAX_ATTEMPTS: "1" });
    const recovered = await desk(["recover", "1"], env);
    expect(recovered.stdout).toMatch(/^Session 1 COMPLETED: 60 of 60 analysed/);
    expect((await desk(["cleanup"], env)).stdout).toBe(
      "Nothing to clean up: every sum adds up, nothing is stuck\n",
    );
  });
});

async function held(): Promise<number> {
  const { rows: [row] } = await test.db.query<{ n: number }>(
    "SELECT count(*) AS n FROM paid_calls WHERE state = 'HELD'",
  );
  return row.n;
}

/** Kills it while it waits for answers: it is stopped first, so that what is seen out is out when it dies. */
async function killWithCallsOut(running: RunningProcess): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    running.kill("SIGSTOP");
    if (await held() > 0) break;
    running.kill("SIGCONT");
    if (Date.now() > deadline) throw new Error("it never had a call out");
  }
  running.kill("SIGKILL");
  await running.ended;
}
