import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Session } from "../../lib/batches/types.ts";
import { addArticles } from "../helpers/articles.ts";
import { exactUsd } from "../../lib/money.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { keepDesk } from "../helpers/kept_desk.ts";
import { endProcesses, environmentOf, startDesk } from "../helpers/process.ts";

const desk = keepDesk();
const test = useTestDatabase();
let env: Record<string, string>;
beforeAll(() => {
  env = environmentOf(test.settings);
});
afterEach(endProcesses);

/** The second batch of two articles is due in an hour. */
const WAITING = { BATCH_SIZE: "2", BATCH_DELAY_SECONDS: "3600" };

async function readSession(): Promise<Pick<Session, "status" | "reason" | "analyzed" | "held">> {
  const { rows: [session] } = await test.db.query<Session>(
    "SELECT status, reason, analyzed, held FROM batch_processing_sessions WHERE number = 1",
  );
  return session;
}

describe("desk batch", () => {
  it("analyses with the offline analyst and prints the finished session as one JSON document", async () => {
    await addArticles(test.db, 3);
    const { code, stdout, stderr } = await desk(["batch", "--yes", "--json"], env);
    expect(JSON.parse(stdout)).toMatchObject({
      number: 1,
      status: "COMPLETED",
      total: 3,
      analyzed: 3,
      held: 0,
    });
    expect(stderr).toMatch(/3 articles ready[^]*simulated[^]*Session 1 started\n/);
    expect(code).toBe(0);
  });

  it("ends with exit code 1 and the way to finish when the budget does not reach", async () => {
    await addArticles(test.db, 3);
    // Room for the first article's worst case and, once that is paid, for no other one's.
    const { stdout: estimate } = await desk(["estimate", "--limit", "1", "--json"], env);
    const budget = exactUsd(JSON.parse(estimate).worst);
    const { code, stdout } = await desk(["batch", "--yes", "--budget", budget], env);
    expect(stdout).toMatch(/^Session 1 PARTIAL \(no room left in its budget\): 1 of 3 analysed, 2 skipped/);
    expect(stdout).toMatch(/\nFinish it with more money: deno task desk recover 1 --budget <usd>\n$/);
    expect(code).toBe(1);
    const recovered = await desk(["recover", "1", "--budget", "1", "--json"], env);
    expect(JSON.parse(recovered.stdout)).toMatchObject({ status: "COMPLETED", analyzed: 3 });
    expect(recovered.code).toBe(0);
  });

  it("pauses at Ctrl-C, says how to go on, and goes on with desk resume; cancel ends it", async () => {
    await addArticles(test.db, 4);
    const batch = startDesk(["batch", "--yes"], { ...env, ...WAITING });
    await batch.printed(/2\/4 articles/);
    batch.kill("SIGINT");
    const { code, stdout, stderr } = await batch.ended;
    expect(stdout).toMatch(
      /^Session 1 PAUSED[^\n]*2 of 4 analysed[^\n]*\nGo on with: deno task desk resume 1\n$/,
    );
    expect(stderr).toMatch(/Pausing; answers that are already paid for are still taken in/);
    expect(code).toBe(1);
    expect(await readSession()).toMatchObject({ status: "PAUSED", analyzed: 2, held: 0 });

    const resumed = startDesk(["resume", "1"], env);
    await resumed.printed(/2\/4 articles[^\n]*next work in/);
    expect((await desk(["cancel", "1"], env)).stdout).toMatch(/^Session 1 CANCELLED/);
    const ended = await resumed.ended;
    expect(ended.stdout).toMatch(/^Session 1 CANCELLED \(it was cancelled\): 2 of 4 analysed, 2 skipped/);
    expect(ended.code).toBe(1);
  });

  it("goes on with desk resume after a process that was killed", async () => {
    await addArticles(test.db, 4);
    const killed = startDesk(["batch", "--yes"], { ...env, ...WAITING });
    await killed.printed(/2\/4 articles/);
    killed.kill("SIGKILL");
    await killed.ended;
    expect(await readSession()).toMatchObject({ status: "PROCESSING", analyzed: 2 });
    await test.db.query("UPDATE batch_processing_items SET not_before = now() WHERE status = 'PENDING'");
    const { code, stdout } = await desk(["resume", "1", "--json"], env);
    expect(JSON.parse(stdout)).toMatchObject({ status: "COMPLETED", analyzed: 4 });
    expect(code).toBe(0);
  });
});
