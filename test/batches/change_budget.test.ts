import { describe, expect, it } from "vitest";
import { changeBudget } from "../../lib/batches/change_budget.ts";
import { pauseSession } from "../../lib/batches/change_session.ts";
import { UserError } from "../../lib/errors.ts";
import { micros } from "../../lib/money.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { addWork, analyse, claim, readSession, workToTheEnd } from "./work_session.ts";

const test = useTestDatabase();

describe("changing the budget of a session", () => {
  it("takes effect at the next claim of a session at work", async () => {
    const { session_id } = await addWork(test.db, 4, 1_500);
    expect(await claim(test.db, session_id, 4)).toHaveLength(1);
    expect(await claim(test.db, session_id, 4)).toEqual([]);
    const session = await changeBudget(test.db, session_id, micros(3_500), "operator:test");
    expect(session).toMatchObject({ budget: 3_500, held: 1_000, status: "PROCESSING" });
    expect(await claim(test.db, session_id, 4)).toHaveLength(2);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("works for a paused session and for one that has ended, and changes nothing else of it", async () => {
    const { session_id } = await addWork(test.db, 2, 5_000);
    await pauseSession(test.db, session_id, "test", "operator");
    const paused = await readSession(test.db, session_id);
    expect(await changeBudget(test.db, session_id, micros(7_000), "test")).toEqual({
      ...paused,
      budget: 7_000,
    });
    const { session_id: other } = await addWork(test.db, 2, 5_000);
    const ended = await workToTheEnd(test.db, other);
    expect(await changeBudget(test.db, other, micros(200), "test")).toEqual({ ...ended, budget: 200 });
  });

  it("below what is spent and held is refused with the figures, to the last digit, and changes nothing", async () => {
    const { session_id } = await addWork(test.db, 3, 9_000);
    await analyse(test.db, session_id, await claim(test.db, session_id, 1));
    await claim(test.db, session_id, 1);
    const before = await readSession(test.db, session_id);
    await expect(changeBudget(test.db, session_id, micros(1_099), "test")).rejects.toThrow(
      new UserError(
        "Cannot set the budget of session 1: wanted at least $0.001100, of which $0.000100 are spent and " +
          "$0.001000 held, got $0.001099",
      ),
    );
    expect(await readSession(test.db, session_id)).toEqual(before);
    expect((await changeBudget(test.db, session_id, micros(1_100), "test")).budget).toBe(1_100);
  });

  it("leaves who, from and to in the audit trail, once a change", async () => {
    const { session_id } = await addWork(test.db, 1, 5_000);
    await changeBudget(test.db, session_id, micros(6_000), "operator:7");
    await changeBudget(test.db, session_id, micros(6_000), "operator:8");
    const { rows } = await test.db.query(
      "SELECT actor, detail FROM session_events WHERE action = 'budget_changed'",
    );
    expect(rows).toEqual([{ actor: "operator:7", detail: { from: 5_000, to: 6_000 } }]);
  });

  it("never lets the cap and a claim pass each other: whoever comes first, the cap holds", async () => {
    for (let round = 0; round < 10; round++) {
      const { session_id } = await addWork(test.db, 4, 4_000);
      const [claims, lowered] = await Promise.allSettled([
        claim(test.db, session_id, 4),
        changeBudget(test.db, session_id, micros(2_000), "test"),
      ]);
      if (claims.status === "rejected") throw claims.reason;
      const { budget, held } = await readSession(test.db, session_id);
      expect(held).toBeLessThanOrEqual(budget);
      expect(lowered.status).toBe(held > 2_000 ? "rejected" : "fulfilled");
      expect(await findViolations(test.db, session_id)).toEqual([]);
      await pauseSession(test.db, session_id, "test", "operator");
    }
  });
});
