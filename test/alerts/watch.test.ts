import { describe, expect, it } from "vitest";
import { exhaustBudget, pauseSession } from "../../lib/batches/change_session.ts";
import { changeBudget } from "../../lib/batches/change_budget.ts";
import { micros } from "../../lib/money.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { addWork, analyse, claim, fail, workToTheEnd } from "../batches/work_session.ts";
import { addWorkerRow, lookAt, MINUTE, NOTHING, readAlertText } from "./look.ts";
import { listAlertStates } from "./watch_sinks.ts";

const test = useTestDatabase();

const look = (after?: number) => lookAt(test.db, after);
const readText = (rule: string) => readAlertText(test.db, rule);
const addWorker = (after: number, age: number, role?: string) => addWorkerRow(test.db, after, age, role);

describe("looking at a desk where all is well", () => {
  it("finds nothing, with nothing there and with a session at work", async () => {
    expect(await look()).toEqual(NOTHING);
    const { session_id } = await addWork(test.db, 10);
    await addWorker(0, 0);
    await analyse(test.db, session_id, await claim(test.db, session_id, 6));
    await claim(test.db, session_id, 2);
    expect(await look()).toEqual(NOTHING);
    expect(await listAlertStates(test.db)).toEqual([]);
  });
});

describe("searches_failing", () => {
  /** A search of the session that ended `minutes` from now. */
  async function search(sessionId: string, minutes: number, failure: string | null) {
    await test.db.query(
      `INSERT INTO paid_calls (session_id, batch_id, item_id, article_id, attempt, kind, provider, model, simulated,
         state, amount, failure, detail, day, lease_token, held_at, ended_at)
       SELECT session_id, batch_id, item_id, article_id, 1, 'search', 'tavily', 'search', false,
         CASE WHEN $3::text IS NULL THEN 'SETTLED' ELSE 'RELEASED' END, 0, $3, 'the detail of ' || $3, current_date,
         gen_random_uuid(), $2, $2
       FROM batch_processing_items WHERE session_id = $1 ORDER BY item_id LIMIT 1`,
      [sessionId, new Date(Date.now() + minutes * MINUTE), failure],
    );
  }

  async function addSearching(): Promise<string> {
    const { session_id } = await addWork(test.db, 10, undefined, { research: "all" });
    return session_id;
  }

  it("is raised when none has succeeded for five minutes, and is over with the next success", async () => {
    const sessionId = await addSearching();
    await search(sessionId, -30, null);
    for (const minutes of [-8, -7, -4]) await search(sessionId, minutes, "rate_limited");
    expect(await look()).toEqual(NOTHING);
    await search(sessionId, -2, "provider_error");
    expect(await look()).toEqual({ raised: ["searches_failing"], resolved: [] });
    expect(await readText("searches_failing")).toBe(
      "Session 1: no search has succeeded for 6 min, and its analyses go on without. " +
        "The newest failed: the detail of provider_error",
    );
    await search(sessionId, -1, "circuit_open");
    expect(await look()).toEqual(NOTHING);
    await search(sessionId, 0, null);
    expect(await look()).toEqual({ raised: [], resolved: ["searches_failing"] });
    expect(await listAlertStates(test.db)).toEqual([
      "searches_failing warning over: they do not fail any more",
    ]);
  });

  it("is not raised for two failures far apart, for searches that were cancelled, or where none are wanted", async () => {
    const sessionId = await addSearching();
    for (const minutes of [-20, -3]) await search(sessionId, minutes, "provider_error");
    for (const minutes of [-2, -1]) await search(sessionId, minutes, "cancelled");
    expect(await look()).toEqual(NOTHING);
    await search(sessionId, 0, "provider_error");
    await test.db.query("UPDATE batch_processing_sessions SET research_off = 'the plan is empty'");
    expect(await look()).toEqual(NOTHING);
    await test.db.query("UPDATE batch_processing_sessions SET research_off = NULL");
    expect(await look()).toEqual({ raised: ["searches_failing"], resolved: [] });
  });
});

describe("failure_rate", () => {
  async function end(sessionId: string, failed: number, analyzed: number) {
    if (failed > 0) await fail(test.db, sessionId, await claim(test.db, sessionId, failed), "give_up");
    if (analyzed > 0) await analyse(test.db, sessionId, await claim(test.db, sessionId, analyzed));
  }

  it("is raised over the threshold, not at it, and not for fewer than five articles", async () => {
    const { session_id } = await addWork(test.db, 20);
    await end(session_id, 1, 3);
    expect(await look()).toEqual(NOTHING);
    await end(session_id, 1, 5);
    expect(await look()).toEqual(NOTHING);
    await end(session_id, 1, 0);
    expect(await look()).toEqual({ raised: ["failure_rate"], resolved: [] });
    expect(await readText("failure_rate")).toBe("Session 1: 3 of 11 articles failed (27 %)");
    expect(await look()).toEqual(NOTHING);
  });

  it("is over only well below the threshold, so that it does not flicker", async () => {
    const { session_id } = await addWork(test.db, 40);
    await end(session_id, 3, 7);
    await look();
    await end(session_id, 0, 7);
    // 3 of 17 is 17.6 %, under 20 % but not under 16 %.
    expect(await look()).toEqual(NOTHING);
    await end(session_id, 0, 2);
    expect(await look()).toEqual({ raised: [], resolved: ["failure_rate"] });
    expect(await listAlertStates(test.db)).toEqual(["failure_rate warning over: fewer articles fail now"]);
  });
});

describe("ungrounded_evidence", () => {
  /** Lets the analyses of the session have so many quotes each. */
  async function setQuotes(kept: number, dropped: number) {
    await test.db.query(
      `UPDATE article_analyses SET ungrounded = $2, weak_signals = jsonb_build_array(
        jsonb_build_object('evidence', (SELECT coalesce(jsonb_agg('q'::text), '[]') FROM generate_series(1, $1::integer))),
        jsonb_build_object('evidence', '[]'::jsonb))`,
      [kept, dropped],
    );
    await test.db.query(
      "UPDATE batch_processing_sessions SET ungrounded = (SELECT sum(ungrounded) FROM article_analyses)",
    );
  }

  it("is raised over the threshold of quotes, with at least twenty of them, and over when they stand again", async () => {
    const { session_id } = await addWork(test.db, 20);
    await analyse(test.db, session_id, await claim(test.db, session_id, 3));
    await setQuotes(3, 3);
    expect(await look()).toEqual(NOTHING);
    await analyse(test.db, session_id, await claim(test.db, session_id, 7));
    await setQuotes(4, 1);
    expect(await look()).toEqual(NOTHING);
    await setQuotes(3, 1);
    expect(await look()).toEqual({ raised: ["ungrounded_evidence"], resolved: [] });
    expect(await readText("ungrounded_evidence")).toBe(
      "Session 1: 10 of 40 quotes do not stand in their article (25 %) and were dropped",
    );
    await setQuotes(4, 1);
    expect(await look()).toEqual(NOTHING);
    await setQuotes(6, 1);
    expect(await look()).toEqual({ raised: [], resolved: ["ungrounded_evidence"] });
  });
});

describe("budget_projection", () => {
  it("says early how many articles will be left out and what would be enough; a larger budget ends it", async () => {
    // 100 an article and holds of 1,000: 50 articles need 5,000, and 900 more for the last hold.
    const { session_id } = await addWork(test.db, 50, 4_000);
    await analyse(test.db, session_id, await claim(test.db, session_id, 4));
    expect(await look()).toEqual(NOTHING);
    await analyse(test.db, session_id, await claim(test.db, session_id, 1));
    expect(await look()).toEqual({ raised: ["budget_projection"], resolved: [] });
    // From 500 on there is room for (4,000 - 500 - 1,000) / 100 + 1 = 26 of the other 45.
    expect(await readText("budget_projection")).toBe(
      "Session 1 will not fit its budget of $0.0040: at $0.0001 an article about 19 of 50 will be left out. " +
        "About $0.0100 would do for all",
    );
    await changeBudget(test.db, session_id, micros(5_800), "test");
    expect(await look()).toEqual(NOTHING);
    await changeBudget(test.db, session_id, micros(5_900), "test");
    expect(await look()).toEqual({ raised: [], resolved: ["budget_projection"] });
    expect(await listAlertStates(test.db)).toEqual([
      "budget_projection warning over: everything fits the budget now",
    ]);
  });

  it("is not raised near the cap, where the session says it louder, and stays when it was raised before", async () => {
    const { session_id } = await addWork(test.db, 50, 4_000);
    await analyse(test.db, session_id, await claim(test.db, session_id, 4));
    await analyse(test.db, session_id, await claim(test.db, session_id, 1));
    await test.db.query("UPDATE batch_processing_sessions SET spent = 3400");
    expect((await look()).raised).toEqual([]);
    await test.db.query("UPDATE batch_processing_sessions SET spent = 500");
    expect((await look()).raised).toEqual(["budget_projection"]);
    await test.db.query("UPDATE batch_processing_sessions SET spent = 3400");
    expect((await look()).resolved).toEqual([]);
  });
});

describe("a session whose cost is about its budget", () => {
  it("is told once, though each article decides anew whether the last one fits; room to spare is its end", async () => {
    const { session_id } = await addWork(test.db, 50, 5_900);
    // Four at a time: more holds would not fit.
    for (let done = 0; done < 20; done += 4) {
      await analyse(test.db, session_id, await claim(test.db, session_id, 4));
    }
    const spend = (spent: number) =>
      test.db.query("UPDATE batch_processing_sessions SET spent = $1", [spent]);
    // With 30 left and 1,000 for the last hold, 2,000 leaves room for all and 2,010 for all but one.
    const seen: string[] = [];
    for (const spent of [2_000, 2_010, 2_000, 2_010, 2_000, 2_010, 2_000]) {
      await spend(spent);
      const { raised, resolved } = await look();
      seen.push([...raised.map((rule) => `+${rule}`), ...resolved.map((rule) => `-${rule}`)].join());
    }
    expect(seen).toEqual(["", "+budget_projection", "", "", "", "", ""]);
    await spend(1_500);
    expect(await look()).toEqual({ raised: [], resolved: ["budget_projection"] });
  });
});

describe("a session that does not move", () => {
  it("has stalled when nothing ended for half an hour although something is due; an article that ends is its end", async () => {
    const { session_id } = await addWork(test.db, 4);
    await addWorker(29 * MINUTE, 40 * MINUTE);
    await claim(test.db, session_id, 1, new Date(Date.now() + 28 * MINUTE));
    expect(await look(29 * MINUTE)).toEqual(NOTHING);
    await addWorker(31 * MINUTE, 42 * MINUTE);
    const items = await claim(test.db, session_id, 1, new Date(Date.now() + 31 * MINUTE));
    expect(await look(31 * MINUTE)).toEqual({ raised: ["stalled"], resolved: [] });
    expect(await readText("stalled")).toMatch(
      /^Session 1 has stalled: no article ended for 31 min although some are due\. 0 of 4 analysed$/,
    );
    await analyse(test.db, session_id, items);
    expect(await look(1 * MINUTE)).toEqual({ raised: [], resolved: ["stalled"] });
  });

  it("has stalled still when its service was started again and nothing ended since", async () => {
    await addWork(test.db, 4);
    await addWorker(31 * MINUTE, 42 * MINUTE);
    expect((await look(31 * MINUTE)).raised).toEqual(["stalled", "queue_not_moving"]);
    await addWorker(32 * MINUTE, MINUTE);
    expect(await look(32 * MINUTE)).toEqual(NOTHING);
  });

  it("has not stalled while its next batch is not due, right after that, or right after a restart", async () => {
    const { session_id } = await addWork(test.db, 4);
    await test.db.query("UPDATE batch_processing_items SET not_before = now() + interval '2 hours'");
    await addWorker(60 * MINUTE, 60 * MINUTE);
    expect(await look(60 * MINUTE)).toEqual(NOTHING);
    await addWorker(121 * MINUTE, 120 * MINUTE);
    expect(await look(121 * MINUTE)).toEqual(NOTHING);
    await addWorker(600 * MINUTE, MINUTE);
    expect(await look(600 * MINUTE)).toEqual(NOTHING);
    await pauseSession(test.db, session_id, "test", "operator");
    await addWorker(700 * MINUTE, 101 * MINUTE);
    expect(await look(700 * MINUTE)).toEqual(NOTHING);
  });

  it("has a queue that does not move when workers live and none takes what is due for five minutes", async () => {
    const { session_id } = await addWork(test.db, 4);
    await addWorker(4 * MINUTE, 10 * MINUTE);
    expect(await look(4 * MINUTE)).toEqual(NOTHING);
    await addWorker(6 * MINUTE, 10 * MINUTE);
    expect(await look(6 * MINUTE)).toEqual({ raised: ["queue_not_moving"], resolved: [] });
    await claim(test.db, session_id, 1, new Date(Date.now() + 6 * MINUTE));
    expect(await look(6 * MINUTE)).toEqual({ raised: [], resolved: ["queue_not_moving"] });
    expect(await listAlertStates(test.db)).toEqual([
      "queue_not_moving critical over: a worker takes them now",
    ]);
  });

  it("has no worker when none lives; one that comes is its end", async () => {
    await addWork(test.db, 4);
    expect(await look(4 * MINUTE)).toEqual(NOTHING);
    expect(await look(6 * MINUTE)).toEqual({ raised: ["no_worker"], resolved: [] });
    await addWorker(7 * MINUTE, 1_000);
    expect(await look(7 * MINUTE)).toEqual({ raised: [], resolved: ["no_worker"] });
  });

  it("that is paused is not waited for any more", async () => {
    const { session_id } = await addWork(test.db, 4);
    await look(6 * MINUTE);
    await pauseSession(test.db, session_id, "test", "operator");
    expect(await look(6 * MINUTE)).toEqual({ raised: [], resolved: ["no_worker"] });
    expect(await listAlertStates(test.db)).toEqual(["no_worker critical over: the session is paused"]);
  });

  it("and has ended since it was looked at gets no alert; one that slipped in is closed without a word", async () => {
    const { session_id } = await addWork(test.db, 1);
    await workToTheEnd(test.db, session_id);
    await test.db.query(
      `INSERT INTO alerts (session_id, dedupe_key, rule, level, lasting, text)
       VALUES ($1::uuid, 'stalled:' || $1::uuid, 'stalled', 'critical', true, 'late')`,
      [session_id],
    );
    expect(await look()).toEqual({ raised: [], resolved: ["stalled"] });
    expect((await listAlertStates(test.db)).at(-1)).toBe(
      "stalled critical over quietly: the session has ended",
    );
  });
});

describe("the budget of a day", () => {
  const setDay = (budget: number, spent: number) =>
    test.db.query("UPDATE day_budgets SET budget = $1, spent = $2", [budget, spent]);

  it("is a warning at its share and over when it is raised; a new day ends it without a word", async () => {
    await addWork(test.db, 1);
    await setDay(1_000, 669);
    expect(await look()).toEqual(NOTHING);
    await setDay(1_000, 670);
    expect(await look()).toEqual({ raised: ["day_budget_warning"], resolved: [] });
    expect(await readText("day_budget_warning")).toMatch(
      /^67 % of the budget of \S+ \(UTC\) is spent: \$0\.0006 of \$0\.0010$/,
    );
    await setDay(2_000, 670);
    expect(await look()).toEqual({ raised: [], resolved: ["day_budget_warning"] });
    await setDay(1_000, 670);
    await look();
    await look(24 * 60 * MINUTE);
    expect((await listAlertStates(test.db)).slice(0, 2)).toEqual([
      "day_budget_warning warning over: the day's budget has room again",
      "day_budget_warning warning over quietly: the day is over",
    ]);
  });

  it("that is used up is told instead of the warning, until it is raised", async () => {
    const { session_id } = await addWork(test.db, 1);
    await setDay(1_000, 700);
    await look();
    await exhaustBudget(test.db, session_id, "day_budget", "test", () => Promise.resolve(true));
    expect(await look()).toEqual({ raised: [], resolved: ["day_budget_warning"] });
    expect(await look()).toEqual(NOTHING);
    await setDay(2_000, 700);
    expect(await look()).toEqual({ raised: [], resolved: ["day_budget_exhausted"] });
    const states = await listAlertStates(test.db);
    expect(states.filter((state) => state.startsWith("day"))).toEqual([
      "day_budget_warning warning over quietly: the day's budget has room again",
      "day_budget_exhausted critical over: the day's budget was raised",
    ]);
  });

  it("without a cap is never told", async () => {
    await addWork(test.db, 1);
    await test.db.query("UPDATE day_budgets SET spent = 1000000");
    expect(await look()).toEqual(NOTHING);
  });
});

it("many that look at once raise each alert once", async () => {
  await addWork(test.db, 4);
  const reports = await Promise.all(Array.from({ length: 8 }, () => look(6 * MINUTE)));
  expect(reports.flatMap(({ raised }) => raised).length).toBeGreaterThanOrEqual(1);
  expect(await listAlertStates(test.db)).toEqual(["no_worker critical open"]);
});
