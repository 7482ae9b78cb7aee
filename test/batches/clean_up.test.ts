import { describe, expect, it } from "vitest";
import { cancelSession, pauseSession } from "../../lib/batches/change_session.ts";
import { cleanUp, sweep } from "../../lib/batches/clean_up.ts";
import { describeCleanup } from "../../lib/batches/describe_cleanup.ts";
import { deleteOldRows } from "../../lib/batches/old_rows.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { addWork, analyse, claim, countItems, LEASE_MS, readSession, workToTheEnd } from "./work_session.ts";

const test = useTestDatabase();

const afterTheLease = () => new Date(Date.now() + 2 * LEASE_MS);
const days = (n: number) => new Date(Date.now() + n * 86_400_000);

describe("a sweep", () => {
  it("takes back what a dead worker left and ends what has nothing left to do", async () => {
    const { session_id } = await addWork(test.db, 1, 9_000, { maxAttempts: 1 });
    await claim(test.db, session_id, 1);
    expect(await sweep(test.db, "worker:b", afterTheLease())).toEqual({
      requeued: 0,
      failed: 1,
      finished: 0,
      unknownCalls: 1,
      ended: [1],
    });
    expect(await readSession(test.db, session_id)).toMatchObject({ status: "FAILED", unknown: 1_000 });
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("takes back an article whose claim lost the time at which it ends", async () => {
    const { session_id } = await addWork(test.db, 1);
    await claim(test.db, session_id, 1);
    await test.db.query("UPDATE batch_processing_items SET lease_until = NULL");
    expect(await sweep(test.db, "worker:b")).toMatchObject({ requeued: 1, unknownCalls: 1 });
    expect(await countItems(test.db, session_id)).toEqual({ PENDING: 1 });
  });

  it("leaves a slow article alone as long as its worker says that it lives", async () => {
    const { session_id } = await addWork(test.db, 1);
    await claim(test.db, session_id, 1);
    expect(await sweep(test.db, "worker:b")).toMatchObject({ requeued: 0, failed: 0, ended: [] });
    expect(await countItems(test.db, session_id)).toEqual({ PROCESSING: 1 });
  });
});

describe("a cleanup", () => {
  it("does what a sweep does, and says so in lines for people", async () => {
    const { session_id } = await addWork(test.db, 3, 9_000, { maxAttempts: 1 });
    await analyse(test.db, session_id, await claim(test.db, session_id, 1));
    await claim(test.db, session_id, 2);
    const report = await cleanUp(test.db, "cleanup", "recent", afterTheLease());
    expect(report).toMatchObject({ failed: 2, unknownCalls: 2, ended: [1], neverStarted: [] });
    expect(describeCleanup(report)).toEqual([
      "Taken back from workers that are gone: 2 articles (2 failed)",
      "2 calls charged in full, because nobody knows how they ended",
      "Ended: session 1",
    ]);
  });

  it("says nothing where there was nothing to do", async () => {
    const { session_id } = await addWork(test.db, 2);
    await claim(test.db, session_id, 1);
    expect(describeCleanup(await cleanUp(test.db, "cleanup", "all"))).toEqual([]);
  });

  it("names what did not add up, with before and after", async () => {
    await addWork(test.db, 2);
    await test.db.query("UPDATE batch_processing_sessions SET failed = 1, spent = 50");
    expect(describeCleanup(await cleanUp(test.db, "cleanup"))).toEqual([
      "Session 1 did not add up and was put right: failed 1 -> 0; spent $0.000050 -> $0.0000",
    ]);
  });

  it("cancels a session that was created and never began, so that its articles are free again", async () => {
    const { session_id } = await addWork(test.db, 2);
    await test.db.query("UPDATE batch_processing_sessions SET status = 'INITIATED'");
    expect((await cleanUp(test.db, "cleanup")).neverStarted).toEqual([]);
    const later = new Date(Date.now() + 11 * 60_000);
    expect((await cleanUp(test.db, "cleanup", "recent", later)).neverStarted).toEqual([1]);
    expect(await readSession(test.db, session_id)).toMatchObject({
      status: "CANCELLED",
      reason: "never_started",
    });
    expect(await countItems(test.db, session_id)).toEqual({ "SKIPPED cancelled": 2 });
    expect((await addWork(test.db, 1)).status).toBe("PROCESSING");
  });

  it("leaves a paused session paused, however long", async () => {
    const { session_id } = await addWork(test.db, 2);
    await pauseSession(test.db, session_id, "test", "operator");
    await cleanUp(test.db, "cleanup", "all", days(400));
    expect(await readSession(test.db, session_id)).toMatchObject({ status: "PAUSED", reason: "operator" });
  });

  it("made by several processes at once does each thing once", async () => {
    const { session_id } = await addWork(test.db, 4, 9_000, { maxAttempts: 1 });
    await claim(test.db, session_id, 4);
    const reports = await Promise.all(
      ["a", "b", "c"].map((actor) => cleanUp(test.db, actor, "recent", afterTheLease())),
    );
    expect(reports.reduce((sum, { failed }) => sum + failed, 0)).toBe(4);
    expect(reports.reduce((sum, { unknownCalls }) => sum + unknownCalls, 0)).toBe(4);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });
});

describe("old rows", () => {
  const count = async (table: string) =>
    (await test.db.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)).rows[0].n;

  it("of workers go after an hour", async () => {
    await test.db.query("INSERT INTO workers (worker_id, role) VALUES ('worker:a', 'service')");
    expect(await deleteOldRows(test.db, new Date(Date.now() + 59 * 60_000))).toEqual({});
    expect(await deleteOldRows(test.db, new Date(Date.now() + 61 * 60_000))).toEqual({ workers: 1 });
  });

  it("of alerts go with their deliveries 90 days after they were over, and never while they last", async () => {
    await test.db.query(
      `INSERT INTO alerts (dedupe_key, rule, level, text, lasting, created_at, resolved_at) VALUES
      ('open', 'stalled', 'critical', 'lasts', true, now() - interval '400 days', NULL),
      ('over', 'stalled', 'critical', 'was over long ago', true, now() - interval '400 days', now() - interval '91 days'),
      ('just over', 'stalled', 'critical', 'was over lately', true, now() - interval '400 days', now()),
      ('told', 'overrun', 'warning', 'was told once', false, now() - interval '91 days', NULL),
      ('just told', 'overrun', 'warning', 'was told once lately', false, now(), NULL)`,
    );
    await test.db.query(`INSERT INTO alert_deliveries (alert_id, notice, sink, outcome)
      SELECT alert_id, 'raised', 'log', 'sent' FROM alerts`);
    expect(await deleteOldRows(test.db)).toEqual({ alerts: 2 });
    const { rows } = await test.db.query<{ dedupe_key: string }>(
      "SELECT dedupe_key FROM alerts ORDER BY alert_id",
    );
    expect(rows.map((row) => row.dedupe_key)).toEqual(["open", "just over", "just told"]);
    expect(await count("alert_deliveries")).toBe(3);
  });

  it("of mutes go 90 days after they ended, by their time or before it", async () => {
    await test.db.query(`INSERT INTO alert_mutes (until, muted_by, ended_at) VALUES
      (now() - interval '91 days', 'a', NULL), (now() + interval '1 day', 'b', now() - interval '91 days'),
      (now() + interval '1 day', 'c', NULL)`);
    expect(await deleteOldRows(test.db)).toEqual({ alert_mutes: 2 });
  });

  it("of Telegram updates go after a week, of questions 30 days after their time", async () => {
    await test.db.query(`INSERT INTO telegram_updates (bot_id, update_id, received_at, handled_at) VALUES
      (1, 1, now() - interval '9 days', now() - interval '8 days'), (1, 2, now() - interval '8 days', NULL),
      (1, 3, now() - interval '8 days', now()), (1, 4, now(), NULL)`);
    await test.db.query(
      `INSERT INTO telegram_confirmations (token, kind, request, chat_id, user_id, expires_at) VALUES
      ('old', 'start', '{}', 1, 1, now() - interval '31 days'), ('new', 'start', '{}', 1, 1, now() - interval '29 days')`,
    );
    expect(await deleteOldRows(test.db)).toEqual({ telegram_updates: 2, telegram_confirmations: 1 });
  });

  it("of a chat's progress messages go 30 days after their session has ended, whatever state they are in", async () => {
    const session = await addWork(test.db, 1);
    await test.db.query(
      "INSERT INTO telegram_progress (session_id, run, bot_id, chat_id, message_id, state) VALUES ($1, 0, 1, 1, 5, 'live')",
      [session.session_id],
    );
    const month = new Date(Date.now() + 31 * 86_400_000);
    expect((await deleteOldRows(test.db, month)).telegram_progress).toBeUndefined();
    await test.db.query(
      "UPDATE batch_processing_sessions SET status = 'CANCELLED', reason = 'operator', finished_at = now()",
    );
    expect((await deleteOldRows(test.db)).telegram_progress).toBeUndefined();
    expect((await deleteOldRows(test.db, month)).telegram_progress).toBe(1);
  });

  it("are deleted however many there are, a part at a time", async () => {
    await test.db.query(`INSERT INTO workers (worker_id, role, seen_at)
      SELECT 'worker:' || n, 'service', now() - interval '2 hours' FROM generate_series(1, 12001) AS n`);
    expect(await deleteOldRows(test.db)).toEqual({ workers: 12_001 });
  });

  it("of the ledger and the audit trail stay for good", async () => {
    const { session_id } = await addWork(test.db, 2);
    await workToTheEnd(test.db, session_id);
    const cancelled = await addWork(test.db, 1);
    await cancelSession(test.db, cancelled.session_id, "test");
    const kept = [
      "paid_calls",
      "session_events",
      "batch_processing_sessions",
      "batch_processing_items",
      "day_budgets",
    ];
    const before = await Promise.all(kept.map(count));
    await cleanUp(test.db, "cleanup", "all", days(4_000));
    expect(await Promise.all(kept.map(count))).toEqual(before);
  });
});
