import { describe, expect, it } from "vitest";
import { reclaimExpired } from "../../lib/batches/leases.ts";
import { resolveUnknown } from "../../lib/batches/resolve_unknown.ts";
import { afterFailure, analyzed, unsentOutcome } from "../../lib/batches/worker/outcomes.ts";
import { listUnknown } from "../../lib/budget/ledger/list_unknown.ts";
import { settleCalls } from "../../lib/budget/ledger/settle_calls.ts";
import { micros } from "../../lib/money.ts";
import { PLAIN_ANALYSIS } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { addUnknownCalls, addWork, claim, LEASE_MS } from "./work_session.ts";

const test = useTestDatabase();

describe("the list of unknown outcomes", () => {
  it("has what one looks a call up with at the provider", async () => {
    const session = await addUnknownCalls(test.db, 1);
    expect(await listUnknown(test.db, session.number)).toEqual([{
      call_id: 1,
      number: session.number,
      article_id: expect.any(Number),
      title: expect.stringMatching(/^Article \d$/),
      provider: "gemini",
      model: "gemini-3.1-flash-lite",
      kind: "analysis",
      simulated: false,
      attempt: 1,
      amount: 1_000,
      held_at: expect.any(Date),
      ended_at: expect.any(Date),
      failure: "worker_lost",
      detail: "the worker w1 stopped renewing its lease",
      late_bill: null,
    }]);
    expect(await listUnknown(test.db, session.number + 1)).toEqual([]);
  });

  it("shows the bill of an answer that came after the claim was lost", async () => {
    const { session_id, number } = await addWork(test.db, 2, 9_000);
    const [item] = await claim(test.db, session_id, 1);
    await reclaimExpired(test.db, "cleanup", new Date(Date.now() + 2 * LEASE_MS));
    const late = {
      outcome_id: crypto.randomUUID(),
      item_id: item.item_id,
      lease_token: item.lease_token,
      call: {
        ...unsentOutcome(item.call_id, ""),
        state: "SETTLED" as const,
        bill: micros(421),
        failure: null,
      },
      item: analyzed(),
      analysis: PLAIN_ANALYSIS,
      research: null,
    };
    expect([...(await settleCalls(test.db, session_id, [late], "w1")).verdicts.values()]).toEqual(["stale"]);
    expect(await listUnknown(test.db, number)).toMatchObject([{ call_id: item.call_id, late_bill: 421 }]);
    const { session } = await resolveUnknown(
      test.db,
      { call: item.call_id, bill: micros(421) },
      "paid",
      "test",
    );
    expect(session).toMatchObject({ spent: 421, unknown: 0 });
  });

  it("says of a timeout what it was", async () => {
    const { session_id } = await addWork(test.db, 2, 9_000);
    const [item] = await claim(test.db, session_id, 1);
    await settleCalls(test.db, session_id, [{
      outcome_id: crypto.randomUUID(),
      item_id: item.item_id,
      lease_token: item.lease_token,
      call: {
        ...unsentOutcome(item.call_id, "no answer within 300 s"),
        state: "UNKNOWN",
        failure: "timeout",
      },
      item: afterFailure(item, {
        failure: "timeout",
        action: "retry",
        billing: "UNKNOWN",
        message: "no answer",
      }, 0),
      analysis: null,
      research: null,
    }], "w1");
    expect(await listUnknown(test.db, null)).toMatchObject([{
      failure: "timeout",
      detail: "no answer within 300 s",
    }]);
  });
});
