import { describe, expect, it } from "vitest";
import { cancelSession, pauseSession, resumeSession } from "../../lib/batches/change_session.ts";
import { recoverSession } from "../../lib/batches/recover_items.ts";
import type { Session, SessionStatus } from "../../lib/batches/types.ts";
import { UserError } from "../../lib/errors.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { addWork, claim, fail, readSession, workToTheEnd } from "./work_session.ts";

const test = useTestDatabase();

/** A session of two articles in this state. */
async function addIn(status: SessionStatus): Promise<Session> {
  const { session_id } = await addWork(test.db, 2, 1_000_000, { maxAttempts: 1 });
  if (status === "PAUSED") await pauseSession(test.db, session_id, "test", "operator");
  if (status === "CANCELLED") await cancelSession(test.db, session_id, "test");
  if (status === "COMPLETED") await workToTheEnd(test.db, session_id);
  if (status === "PARTIAL" || status === "FAILED") {
    await fail(test.db, session_id, await claim(test.db, session_id, status === "FAILED" ? 2 : 1), "retry");
    await workToTheEnd(test.db, session_id);
  }
  const session = await readSession(test.db, session_id);
  expect(session.status).toBe(status);
  return session;
}

const MOVES = {
  pause: (id: string) => pauseSession(test.db, id, "test", "operator"),
  resume: (id: string) => resumeSession(test.db, id, "test"),
  cancel: (id: string) => cancelSession(test.db, id, "test"),
  recover: async (id: string) => (await recoverSession(test.db, id, null, "test")).session,
} as const;

/** Where each move leads from each state; null: it is refused. */
const TABLE: Record<
  Exclude<SessionStatus, "INITIATED">,
  Record<keyof typeof MOVES, SessionStatus | null>
> = {
  PROCESSING: { pause: "PAUSED", resume: "PROCESSING", cancel: "CANCELLED", recover: null },
  PAUSED: { pause: "PAUSED", resume: "PROCESSING", cancel: "CANCELLED", recover: null },
  COMPLETED: { pause: null, resume: null, cancel: null, recover: "COMPLETED" },
  PARTIAL: { pause: null, resume: null, cancel: null, recover: "PROCESSING" },
  FAILED: { pause: null, resume: null, cancel: null, recover: "PROCESSING" },
  CANCELLED: { pause: null, resume: null, cancel: "CANCELLED", recover: "CANCELLED" },
};

describe("the moves of a session", () => {
  for (const [from, moves] of Object.entries(TABLE) as [keyof typeof TABLE, (typeof TABLE)["PAUSED"]][]) {
    for (const [name, to] of Object.entries(moves) as [keyof typeof MOVES, SessionStatus | null][]) {
      it(to === null ? `${name} is refused when it is ${from}` : `${name} makes ${from} ${to}`, async () => {
        const { session_id, number } = await addIn(from);
        const work = MOVES[name](session_id);
        if (to === null) {
          await expect(work).rejects.toThrow(UserError);
          await expect(work).rejects.toThrow(
            new RegExp(`^Cannot ${name} session ${number}: wanted .*, it is ${from}`),
          );
        } else {
          expect((await work).status).toBe(to);
        }
        expect((await readSession(test.db, session_id)).status).toBe(to ?? from);
        expect(await findViolations(test.db, session_id)).toEqual([]);
      });
    }
  }

  it("that do not exist are refused by name", async () => {
    const nobody = crypto.randomUUID();
    await expect(pauseSession(test.db, nobody, "test", "operator")).rejects.toThrow(/There is no session/);
  });

  it("write who made them, from where and to where, into the audit trail", async () => {
    const { session_id } = await addWork(test.db, 1);
    await pauseSession(test.db, session_id, "operator:7", "operator");
    await resumeSession(test.db, session_id, "operator:8");
    const { rows } = await test.db.query(
      "SELECT actor, action, from_state, to_state FROM session_events WHERE batch_id IS NULL ORDER BY event_id",
    );
    expect(rows.map((row) => Object.values(row).join(" "))).toEqual([
      "test session_initiated  INITIATED",
      "test session_started INITIATED PROCESSING",
      "operator:7 session_paused PROCESSING PAUSED",
      "operator:8 session_resumed PAUSED PROCESSING",
    ]);
  });
});

describe("one active session at a time", () => {
  it("refuses a start, a resume and a recovery while another one is at work, and names it", async () => {
    const failed = await addIn("FAILED");
    const paused = await addIn("PAUSED");
    const active = await addWork(test.db, 1);
    const line = new RegExp(`session ${active.number} is PROCESSING and one is active at a time`);
    await expect(addWork(test.db, 1)).rejects.toThrow(line);
    await expect(resumeSession(test.db, paused.session_id, "test")).rejects.toThrow(line);
    await expect(recoverSession(test.db, failed.session_id, null, "test")).rejects.toThrow(line);
    expect(await readSession(test.db, failed.session_id)).toEqual(failed);
  });

  it("lets a new one start beside a paused one", async () => {
    await addIn("PAUSED");
    expect((await addWork(test.db, 1)).status).toBe("PROCESSING");
  });

  it("lets exactly one of several starts that race begin", async () => {
    const articles = await Promise.all([1, 2, 3, 4].map(() => addArticles(test.db, 2, 40)));
    const starts = await Promise.allSettled(
      articles.map((ids) => addSession(test.db, { articles: ids, budget: micros(9_000) })),
    );
    expect(starts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const start of starts) {
      if (start.status === "rejected") expect(String(start.reason)).toMatch(/one is active at a time/);
    }
  });

  it("lets exactly one of a start and a recovery begin that race for the same articles", async () => {
    const ended = await addIn("FAILED");
    const { rows } = await test.db.query<{ article_id: number }>(
      "SELECT article_id FROM batch_processing_items",
    );
    const articles = rows.map((row) => row.article_id);
    for (let round = 0; round < 10; round++) {
      const [started, recovered] = await Promise.allSettled([
        addSession(test.db, { articles, budget: micros(9_000) }),
        recoverSession(test.db, ended.session_id, null, "test"),
      ]);
      const refused = [started, recovered].filter((result) => result.status === "rejected");
      for (const { reason } of refused) expect(reason).toBeInstanceOf(UserError);
      const begun = started.status === "fulfilled" ? started.value.session_id : ended.session_id;
      expect((await readSession(test.db, begun)).status).toBe("PROCESSING");
      // As if neither had been: the next round starts from the same place.
      await test.db.query("UPDATE batch_processing_items SET status = 'FAILED', recoveries = 0");
      await test.db.query("UPDATE batch_processing_sessions SET status = 'FAILED', failed = total");
    }
  });
});
