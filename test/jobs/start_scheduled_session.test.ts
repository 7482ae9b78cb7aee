import { beforeEach, describe, expect, it } from "vitest";
import type { JobContext, JobReport } from "../../jobs/job.ts";
import { startScheduledSession } from "../../jobs/start_scheduled_session.ts";
import { pauseSession } from "../../lib/batches/change_session.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import type { Database, Queryable } from "../../lib/database/port.ts";
import { emptyDatabase, useTestDatabase } from "../helpers/database.ts";
import { makeJobs, runOf, type TestJobs } from "../helpers/jobs.ts";

const test = useTestDatabase();

const BUDGET = micros(20_000);
let jobs: TestJobs;
let slot: Date;
beforeEach(async () => {
  jobs = makeJobs(test.db, { BATCH_BUDGET_USD: "0.02" });
  const { rows: [{ now }] } = await test.db.query<{ now: Date }>("SELECT date_trunc('minute', now()) AS now");
  slot = now;
});

function start(at: Date | null = slot, context: JobContext = jobs.context): Promise<JobReport> {
  return startScheduledSession(context, runOf("start_scheduled_session", at));
}

async function readAlerts() {
  const { rows } = await test.db.query(
    `SELECT level, text, dedupe_key FROM alerts WHERE rule = 'scheduled_session' ORDER BY alert_id`,
  );
  return rows;
}

async function readSessions() {
  const { rows } = await test.db.query<
    { number: number; status: string; started_by: string; budget: number; total: number }
  >("SELECT number, status, started_by, budget, total FROM batch_processing_sessions ORDER BY number");
  return rows;
}

/** Says so once, for this slot, and starts nothing. */
async function expectNotStarted(level: string, text: string | RegExp, sessions = 0): Promise<void> {
  const report = await start();
  expect(report.text).toMatch(text);
  expect(report.detail.started).toBeNull();
  expect(await readAlerts()).toEqual([
    expect.objectContaining({
      level,
      text: report.text,
      dedupe_key: expect.stringContaining(slot.toISOString()),
    }),
  ]);
  expect(await readSessions()).toHaveLength(sessions);
  await start();
  expect(await readAlerts()).toHaveLength(1);
}

describe("the scheduled session", () => {
  it("starts with what is ready under its budget, wakes the workers and says so", async () => {
    await addArticles(test.db, 12);
    const report = await start();
    const text = "Nightly session 1 started: 12 articles, expected $0.0156 simulated of $0.0200";
    expect(report).toMatchObject({ text, detail: { started: 1, articles: 12, budget: BUDGET } });
    expect(await readSessions()).toEqual([{
      number: 1,
      status: "PROCESSING",
      started_by: "cron:start_scheduled_session",
      budget: BUDGET,
      total: 12,
    }]);
    expect(await readAlerts()).toEqual([
      { level: "info", text, dedupe_key: expect.stringContaining(slot.toISOString()) },
    ]);
    expect(jobs.sent.map(({ job, session, batch }) => [job, session, batch])).toEqual([
      ["batch_analyze_articles", 1, 1],
      ["batch_analyze_articles", 1, 2],
    ]);
  });

  it("starts once a slot, however often that is run, and says so once", async () => {
    await addArticles(test.db, 2);
    await start();
    await jobs.context.desk.cancel(1, "operator:test");
    await addArticles(test.db, 2);
    const again = await Promise.all([start(), start(), start()]);
    for (const { text } of again) expect(text).toMatch(/^Nightly session 1 started: 2 articles/);
    expect(await readSessions()).toHaveLength(1);
    expect(await readAlerts()).toHaveLength(1);
    expect((await start(new Date(slot.getTime() + 60_000))).text).toMatch(/^Nightly session 2 started/);
  });

  it("starts as often as it is asked for by hand", async () => {
    await addArticles(test.db, 1);
    for (const number of [1, 2]) {
      const byHand = { ...runOf("start_scheduled_session", null), actor: "operator:cli" };
      const { text } = await startScheduledSession(jobs.context, byHand);
      expect(text).toMatch(new RegExp(`^Nightly session ${number} started: 1 article,`));
      await jobs.context.desk.cancel(number, "operator:test");
    }
    expect(await readAlerts()).toHaveLength(2);
    expect((await readSessions()).map(({ started_by }) => started_by)).toEqual([
      "operator:cli",
      "operator:cli",
    ]);
  });

  it("has nothing to do without ready articles", () =>
    expectNotStarted("info", /^Nightly session: nothing to do$/));

  it("does not begin beside a session that is at work", async () => {
    await addSession(test.db, { articles: await addArticles(test.db, 3), budget: micros(9_000) });
    await addArticles(test.db, 1);
    await expectNotStarted(
      "warning",
      /^Nightly session not started: session 1 is still at work, 0 of 3 articles done$/,
      1,
    );
  });

  it("does not begin on top of a session that is paused, and says why that is", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 3),
      budget: micros(9_000),
    });
    await pauseSession(test.db, session.session_id, "worker:test", "key_refused");
    await addArticles(test.db, 1);
    await expectNotStarted(
      "warning",
      /^Nightly session not started: session 1 is PAUSED \(the provider refused the key\)$/,
      1,
    );
  });

  it("does not begin when the day's budget has no room for one article", async () => {
    await addArticles(test.db, 1);
    await test.db.query(
      `INSERT INTO day_budgets (day, simulated, budget, spent)
       VALUES ((now() AT TIME ZONE 'UTC')::date, true, 500000, 499000)`,
    );
    await expectNotStarted(
      "warning",
      /^Nightly session not started: the day's budget is used up, \$0\.4990 simulated of \$0\.5000$/,
    );
  });

  it("does not begin when no ready article fits its budget", async () => {
    await addArticles(test.db, 2, 400_000);
    await expectNotStarted(
      "warning",
      /not started: at worst, each of the 2 ready articles costs more than the budget of \$0\.0200$/,
    );
  });

  it("does not begin more than an hour late, and says that the night was missed", async () => {
    await addArticles(test.db, 1);
    slot = new Date(slot.getTime() - 61 * 60_000);
    await expectNotStarted(
      "warning",
      /^Nightly session not started: nothing ran at 20\d\d-\d\d-\d\d \d\d:\d\d UTC$/,
    );
  });

  it("begins up to an hour late", async () => {
    await addArticles(test.db, 1);
    expect((await start(new Date(slot.getTime() - 55 * 60_000))).text).toMatch(/^Nightly session 1 started/);
  });

  it("says what the desk refuses, without secrets", async () => {
    await addArticles(test.db, 1);
    const unpriced = makeJobs(test.db, { GEMINI_MODEL: "hunter2hunter2" }, {
      scrub: (text) => text.replaceAll("hunter2hunter2", "[secret]"),
    });
    const { text } = await start(slot, unpriced.context);
    expect(text).toMatch(/^Nightly session not started: .*\[secret\]/);
    expect(await readAlerts()).toEqual([expect.objectContaining({ level: "warning", text })]);
  });

  it("lets a failure that is nobody's wish be seen as one", async () => {
    await addArticles(test.db, 1);
    const broken = {
      ...jobs.context.desk,
      estimate: () => Promise.reject(new TypeError("x is not a function")),
    };
    await expect(start(slot, { ...jobs.context, desk: broken })).rejects.toThrow("x is not a function");
  });
});

describe("a slot during which something breaks", () => {
  /** Where statement number `nth` is answered with a lost connection, before or after it has taken effect. */
  function breakAt(nth: number, takesEffect: boolean) {
    let statements = 0;
    const lost = new Error("terminating connection due to administrator command");
    const watch = (inner: Queryable): Queryable => ({
      async query(text, params, prepareAs) {
        if (++statements !== nth) return await inner.query(text, params, prepareAs);
        if (takesEffect) await inner.query(text, params, prepareAs);
        throw lost;
      },
    });
    const db: Database = {
      ...test.db,
      ...watch(test.db),
      async transaction(work) {
        const result = await test.db.transaction((tx) => work(watch(tx)));
        // The commit is a statement, too.
        if (++statements === nth && takesEffect) throw lost;
        return result;
      },
    };
    return { db, broke: () => statements >= nth };
  }

  for (const takesEffect of [false, true]) {
    it(
      `starts one session and says so once, whichever statement ${
        takesEffect ? "loses its answer" : "fails"
      }`,
      async () => {
        let failed = 0;
        for (let nth = 1;; nth++) {
          await emptyDatabase(test.db);
          await addArticles(test.db, 2);
          const { db, broke } = breakAt(nth, takesEffect);
          const broken = makeJobs(db, { BATCH_BUDGET_USD: "0.02" });
          const first = await start(slot, broken.context).then(() => true, () => false);
          if (!broke()) break;
          // A session and the word about it stand together or not at all, before anybody tries again.
          expect(await readAlerts()).toHaveLength((await readSessions()).length);
          if (!first) failed++;
          if (!first) await start();
          expect([nth, await readSessions(), await readAlerts()]).toEqual([
            nth,
            [expect.objectContaining({ number: 1, status: "PROCESSING", total: 2 })],
            [expect.objectContaining({
              level: "info",
              text: expect.stringMatching(/^Nightly session 1 started/),
            })],
          ]);
        }
        // The statistics may fail and the start has gone well all the same; everything else is tried again.
        expect(failed).toBeGreaterThan(10);
      },
      60_000,
    );
  }

  it("has its session when statistics and queue fail, and the log says that", async () => {
    await addArticles(test.db, 2);
    const query: Database["query"] = (text, ...more) =>
      text.startsWith("ANALYZE") ? Promise.reject(new Error("no room")) : test.db.query(text, ...more);
    const { context, logged } = makeJobs({ ...test.db, query }, { BATCH_BUDGET_USD: "0.02" }, {
      dispatcher: { enqueue: () => Promise.reject(new Error("the queue is closed")) },
    });
    expect((await start(slot, context)).text).toMatch(/^Nightly session 1 started/);
    expect(await readSessions()).toMatchObject([{ status: "PROCESSING" }]);
    expect(await readAlerts()).toHaveLength(1);
    // Statistics are gathered a moment after a small session has begun.
    await expect.poll(() => logged).toHaveLength(2);
    expect(logged).toEqual(expect.arrayContaining([
      expect.stringMatching(/"level":"warn".*statistics.*no room/),
      expect.stringMatching(/"level":"warn".*could not wake.*the queue is closed/),
    ]));
  });
});

describe("on Deno Deploy", () => {
  it("spends on production and never on the timeline of a branch", async () => {
    await addArticles(test.db, 1);
    const branch = await start(slot, {
      ...jobs.context,
      config: { ...jobs.context.config, deploy: { timeline: "git-branch/try-something" } },
    });
    expect(branch.text).toBe(
      "Nothing done: this is the timeline git-branch/try-something, and money is spent on production only",
    );
    expect([await readSessions(), await readAlerts()]).toEqual([[], []]);
    await start(slot, {
      ...jobs.context,
      config: { ...jobs.context.config, deploy: { timeline: "production" } },
    });
    expect(await readSessions()).toHaveLength(1);
  });
});
