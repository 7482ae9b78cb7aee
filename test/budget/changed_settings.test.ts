import { describe, expect, it } from "vitest";
import { readBudgets } from "../../lib/budget/budgets.ts";
import { changeDayCap, type DayCapChange, readDayCap } from "../../lib/budget/changed_settings.ts";
import { ensureDay, readDay } from "../../lib/budget/ledger/day_budget.ts";
import { UserError } from "../../lib/errors.ts";
import { type Micros, micros } from "../../lib/money.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { untilWaitedFor } from "../helpers/lock_wait.ts";
import { addWork, claim } from "../batches/work_session.ts";

const test = useTestDatabase();

const CONFIGURED = micros(5_000_000);

function change(to: DayCapChange, options: Partial<Parameters<typeof changeDayCap>[2]> = {}) {
  return changeDayCap(test.db, to, {
    configured: CONFIGURED,
    simulated: false,
    actor: "operator:7",
    ...options,
  });
}

/** What a process with this DAY_BUDGET_USD would give a new day. */
async function capTomorrow(configured: Micros | null = CONFIGURED) {
  return (await ensureDay(test.db, false, configured, new Date(Date.now() + 86_400_000))).budget;
}

describe("a day's cap changed at run time", () => {
  it("wins over every process's DAY_BUDGET_USD, today and on later days, until it is set back", async () => {
    expect((await change(micros(2_000_000))).budget).toBe(2_000_000);
    expect((await ensureDay(test.db, false, CONFIGURED)).budget).toBe(2_000_000);
    expect(await capTomorrow()).toBe(2_000_000);
    expect(await capTomorrow(null)).toBe(2_000_000);
    expect((await change("configured")).budget).toBe(5_000_000);
    expect(await capTomorrow()).toBe(5_000_000);
    // A process without a cap takes no other's away.
    expect(await capTomorrow(null)).toBe(5_000_000);
  });

  it("to none is another thing than back to the configured", async () => {
    expect((await change(null)).budget).toBeNull();
    expect(await capTomorrow()).toBeNull();
    expect(await readDayCap(test.db, CONFIGURED)).toMatchObject({
      cap: null,
      changed: { by: "operator:7", configured: CONFIGURED },
    });
    await change("configured");
    expect(await readDayCap(test.db, CONFIGURED)).toEqual({ cap: CONFIGURED, changed: null });
  });

  it("reaches a claim at once, without a word to the worker", async () => {
    const { session_id } = await addWork(test.db, 3, 9_000);
    await change(micros(1_000));
    expect(await claim(test.db, session_id, 3)).toHaveLength(1);
    expect(await claim(test.db, session_id, 3)).toEqual([]);
    await change(micros(2_000));
    expect(await claim(test.db, session_id, 3)).toHaveLength(1);
    await change(null);
    expect(await claim(test.db, session_id, 3)).toHaveLength(1);
  });

  it("below what today has used becomes that for today, and holds as given from tomorrow", async () => {
    const { session_id } = await addWork(test.db, 3, 9_000);
    await claim(test.db, session_id, 2);
    expect(await change(micros(500))).toMatchObject({ budget: 2_000, held: 2_000, spent: 0 });
    expect(await claim(test.db, session_id, 1)).toEqual([]);
    expect(await capTomorrow()).toBe(500);
    expect(await readDayCap(test.db, CONFIGURED)).toMatchObject({ cap: 500 });
  });

  it("holds for real and for simulated money, each on its own", async () => {
    await addWork(test.db, 1, 9_000);
    await change(micros(700), { simulated: true });
    expect((await readDay(test.db, false))?.budget).toBe(700);
    expect((await readDay(test.db, true))?.budget).toBe(700);
  });

  it("of nothing is refused in one line, and nothing changes", async () => {
    await expect(change(micros(0))).rejects.toThrow(
      new UserError("Cannot set the day's budget: it must be over $0, got $0.0000"),
    );
    expect((await readDayCap(test.db, CONFIGURED)).changed).toBeNull();
  });

  it("is exact to the micro-dollar, however large", async () => {
    for (const cap of [1, 123_456, 999_999_999_999_999]) {
      expect((await change(micros(cap))).budget).toBe(cap);
      expect((await readDayCap(test.db, null)).cap).toBe(cap);
    }
  });
});

describe("the history of changed settings", () => {
  it("says who changed what from what to what, one row a change", async () => {
    await change(micros(2_000_000), { actor: "operator:7" });
    await change(micros(2_000_000), { actor: "operator:8" });
    await change(null, { actor: "operator:9" });
    await change("configured", { actor: "operator:7" });
    const { rows } = await test.db.query(
      "SELECT name, was, value, changed_by FROM changed_settings ORDER BY change_id",
    );
    expect(rows).toEqual([
      { name: "DAY_BUDGET_USD", was: null, value: "2.000000", changed_by: "operator:7" },
      { name: "DAY_BUDGET_USD", was: "2.000000", value: "", changed_by: "operator:9" },
      { name: "DAY_BUDGET_USD", was: "", value: null, changed_by: "operator:7" },
    ]);
  });

  it("cannot be changed or deleted", async () => {
    await change(micros(1_000));
    await expect(test.db.query("UPDATE changed_settings SET value = '9'")).rejects.toThrow(
      /changed_settings is append-only/,
    );
    await expect(test.db.query("DELETE FROM changed_settings")).rejects.toThrow(/append-only/);
  });

  it("has no gap when several change it at once: each replaced what the one before it set", async () => {
    await Promise.all([1, 2, 3, 4, 5, 6].map((n) => change(micros(n * 1_000))));
    const { rows } = await test.db.query<{ was: string | null; value: string }>(
      "SELECT was, value FROM changed_settings ORDER BY change_id",
    );
    expect(rows.map(({ was }) => was)).toEqual([null, ...rows.slice(0, -1).map(({ value }) => value)]);
    expect((await readDay(test.db, false))?.budget).toBe((await readDayCap(test.db, null)).cap);
  });
});

describe("a process that makes the day's row while the cap is changed", () => {
  it("never brings the old cap back, whoever comes first", async () => {
    for (let round = 1; round <= 20; round++) {
      await test.db.query("DELETE FROM day_budgets");
      const wanted = micros(round * 1_000);
      await Promise.all([
        ensureDay(test.db, false, CONFIGURED),
        change(wanted),
        ensureDay(test.db, false, CONFIGURED),
        ensureDay(test.db, true, CONFIGURED),
      ]);
      expect((await readDay(test.db, false))?.budget).toBe(wanted);
      expect((await readDay(test.db, true))?.budget).toBe(wanted);
    }
  });

  it("that waited for the change sees it", async () => {
    await ensureDay(test.db, false, CONFIGURED);
    let waiting: Promise<unknown> = Promise.resolve();
    await test.db.transaction(async (tx) => {
      await tx.query(
        "INSERT INTO changed_settings (name, value, changed_by) VALUES ('DAY_BUDGET_USD', '0.001', 'test')",
      );
      await ensureDay(tx, false, CONFIGURED);
      waiting = ensureDay(test.db, false, CONFIGURED);
      await untilWaitedFor(tx);
    });
    await waiting;
    expect((await readDay(test.db, false))?.budget).toBe(1_000);
  });
});

describe("the budgets in one view", () => {
  it("name the caps that hold, what is used of them, who changed them, and the month", async () => {
    const session = await addWork(test.db, 2, 9_000);
    await claim(test.db, session.session_id, 1);
    await test.db.query("UPDATE paid_calls SET state = 'SETTLED', spent = 400, overrun = 30");
    await change(micros(7_000));
    const read = (at: Date | null = null) =>
      readBudgets(test.db, {
        session,
        sessionDefault: micros(300_000),
        configuredDayCap: null,
        simulated: false,
        now: at,
      });
    expect(await read()).toMatchObject({
      sessionDefault: 300_000,
      session: { number: 1, budget: 9_000 },
      simulated: false,
      day: { budget: 7_000, held: 1_000 },
      dayCap: 7_000,
      dayCapChanged: { by: "operator:7", configured: null },
      month: { real: 430, simulated: 0 },
    });
    const nextMonth = new Date(Date.now() + 32 * 86_400_000);
    expect(await read(nextMonth)).toMatchObject({ day: null, dayCap: 7_000, month: { real: 0 } });
  });
});

describe("desks that are configured differently", () => {
  const [LOW, HIGH] = [micros(1_000_000), micros(3_000_000)];
  const day = async (configured: Micros | null) => (await ensureDay(test.db, false, configured)).budget;

  it.for(
    [
      ["one without a cap comes last", [HIGH, null]],
      ["one without a cap comes first", [null, HIGH]],
      ["and again, as each looks for work", [null, HIGH, null, null]],
    ] as const,
  )("the cap holds when %s", async ([, configured]) => {
    let cap: Micros | null = null;
    for (const one of configured) cap = await day(one);
    expect(cap).toBe(HIGH);
  });

  it("the lowest holds for the day, in whatever order they come", async () => {
    expect(await day(HIGH)).toBe(HIGH);
    expect(await day(LOW)).toBe(LOW);
    expect(await day(HIGH)).toBe(LOW);
    // Another day begins anew.
    expect(await capTomorrow(HIGH)).toBe(HIGH);
  });

  it("none of them undoes what an operator changed, and all count again when it is set back", async () => {
    await day(LOW);
    await change(micros(7_000_000));
    for (const configured of [null, LOW, HIGH]) expect(await day(configured)).toBe(7_000_000);
    await change(null);
    for (const configured of [null, LOW, HIGH]) expect(await day(configured)).toBeNull();
    expect((await change("configured", { configured: null })).budget).toBe(LOW);
  });

  it("a claim heeds the cap although the desk that works has none", async () => {
    const { session_id } = await addWork(test.db, 3, 9_000);
    await day(micros(2_000));
    await day(null);
    expect(await claim(test.db, session_id, 3)).toHaveLength(2);
  });
});
