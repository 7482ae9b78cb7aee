import { describe, expect, it } from "vitest";
import { finishIfDone, pauseSession, resumeSession } from "../../lib/batches/change_session.ts";
import { resumeDue } from "../../lib/batches/resume_due.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { addWork, analyse, claim, readSession } from "./work_session.ts";

const test = useTestDatabase();
const MINUTE = 60_000;

/** A session paused by an outage, to come back after `minutes`. */
async function addPaused(minutes: number | null, reason = "provider_outage") {
  const { session_id } = await addWork(test.db, 2);
  return await pauseSession(
    test.db,
    session_id,
    "w1",
    reason,
    {},
    () => minutes === null ? null : minutes * MINUTE,
  );
}

/** The database's time in so many minutes. */
async function inMinutes(minutes: number): Promise<Date> {
  const { rows: [{ at }] } = await test.db.query<{ at: Date }>(
    "SELECT now() + $1 * interval '1 minute' AS at",
    [minutes],
  );
  return at;
}

async function listMoves(sessionId: string) {
  const { rows } = await test.db.query<{ actor: string; action: string; detail: Record<string, unknown> }>(
    `SELECT actor, action, detail FROM session_events
     WHERE session_id = $1 AND item_id IS NULL AND batch_id IS NULL AND from_state IS NOT NULL
       AND action <> 'session_started' ORDER BY event_id`,
    [sessionId],
  );
  return rows;
}

describe("a pause that ends by itself", () => {
  it("ends when its time has come and not before, and says in the audit trail what it was", async () => {
    const { session_id, number } = await addPaused(4);
    expect(await resumeDue(test.db, "w2", await inMinutes(3.9))).toEqual([]);
    expect(await resumeDue(test.db, "w2", await inMinutes(4.1))).toEqual([number]);
    expect(await readSession(test.db, session_id)).toMatchObject({
      status: "PROCESSING",
      reason: null,
      resume_at: null,
      resume_tries: 1,
    });
    expect(await listMoves(session_id)).toEqual([
      {
        actor: "w1",
        action: "session_paused",
        detail: { reason: "provider_outage", resume_in_ms: 4 * MINUTE, tries: 0 },
      },
      {
        actor: "w2",
        action: "session_resumed",
        detail: { by_itself: true, after: "provider_outage", try: 1 },
      },
    ]);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("counts its tries from pause to pause until an article succeeds", async () => {
    const { session_id } = await addPaused(1);
    const tries: number[] = [];
    for (let n = 0; n < 3; n++) {
      await resumeDue(test.db, "w1", await inMinutes(2));
      const asked = (count: number) => {
        tries.push(count);
        return MINUTE;
      };
      await pauseSession(test.db, session_id, "w1", "provider_outage", {}, asked);
    }
    expect(tries).toEqual([1, 2, 3]);
    await resumeDue(test.db, "w1", await inMinutes(2));
    await analyse(test.db, session_id, await claim(test.db, session_id, 1));
    expect(await readSession(test.db, session_id)).toMatchObject({ status: "PROCESSING", resume_tries: 0 });
  });

  it("keeps its count through a success that comes late, while it is paused", async () => {
    const { session_id } = await addPaused(1);
    await resumeDue(test.db, "w1", await inMinutes(2));
    const underWay = await claim(test.db, session_id, 1);
    await pauseSession(test.db, session_id, "w1", "provider_outage", {}, () => MINUTE);
    await analyse(test.db, session_id, underWay);
    expect(await readSession(test.db, session_id)).toMatchObject({ status: "PAUSED", resume_tries: 1 });
  });

  it("never ends without a time", async () => {
    await addPaused(null, "key_refused");
    expect(await resumeDue(test.db, "w1", await inMinutes(1_000_000))).toEqual([]);
  });

  it("waits for another session that is at work; then the oldest goes on first, one at a time", async () => {
    const first = await addPaused(2);
    const second = await addPaused(1);
    const active = await addWork(test.db, 1);
    const later = await inMinutes(5);
    expect(await resumeDue(test.db, "w1", later)).toEqual([]);
    await analyse(test.db, active.session_id, await claim(test.db, active.session_id, 1));
    await finishIfDone(test.db, active.session_id, "w1");
    expect(await resumeDue(test.db, "w1", later)).toEqual([first.number]);
    expect(await resumeDue(test.db, "w1", later)).toEqual([]);
    await pauseSession(test.db, first.session_id, "test", "operator");
    expect(await resumeDue(test.db, "w1", later)).toEqual([second.number]);
  });

  it("ends once, however many processes see that it is due", async () => {
    const { session_id, number } = await addPaused(0);
    const seen = await Promise.all([1, 2, 3, 4].map((n) => resumeDue(test.db, `w${n}`)));
    expect(seen.flat()).toEqual([number]);
    expect(await readSession(test.db, session_id)).toMatchObject({ resume_tries: 1 });
  });

  it("of a session that waited only for its turn is no trouble: it goes on at full speed", async () => {
    const { session_id } = await addPaused(0, "queued");
    await resumeDue(test.db, "w1");
    expect(await readSession(test.db, session_id)).toMatchObject({ status: "PROCESSING", resume_tries: 0 });
  });
});

describe("a person's word about a pause that ends by itself", () => {
  it("pause: it stays paused, and the trail says what it was before", async () => {
    const { session_id } = await addPaused(1);
    expect(await pauseSession(test.db, session_id, "operator:7", "operator")).toMatchObject({
      status: "PAUSED",
      reason: "operator",
      resume_at: null,
    });
    expect(await resumeDue(test.db, "w1", await inMinutes(60))).toEqual([]);
    expect((await listMoves(session_id)).at(-1)).toEqual({
      actor: "operator:7",
      action: "session_paused",
      detail: { reason: "operator", was: "provider_outage" },
    });
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("resume: it goes on at once, with one article first, and the waits begin anew", async () => {
    const { session_id } = await addPaused(1);
    await test.db.query("UPDATE batch_processing_sessions SET resume_tries = 9");
    expect(await resumeSession(test.db, session_id, "operator:7")).toMatchObject({
      status: "PROCESSING",
      resume_at: null,
      resume_tries: 1,
    });
  });

  it("resume after a person's pause: at full speed", async () => {
    const { session_id } = await addPaused(null, "operator");
    expect(await resumeSession(test.db, session_id, "operator:7")).toMatchObject({ resume_tries: 0 });
  });

  it("a worker's pause does not take the place of one that is there", async () => {
    const { session_id } = await addPaused(null, "key_refused");
    const again = await pauseSession(test.db, session_id, "w2", "provider_outage", {}, () => MINUTE);
    expect(again).toMatchObject({ reason: "key_refused", resume_at: null });
  });
});
