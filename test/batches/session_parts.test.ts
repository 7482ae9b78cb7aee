import { beforeEach, describe, expect, it } from "vitest";
import { listEvents, type TrailEvent } from "../../lib/batches/read_events.ts";
import { listItems } from "../../lib/batches/read_items.ts";
import { readTimeline } from "../../lib/batches/read_timeline.ts";
import { cancelSession, pauseSession } from "../../lib/batches/change_session.ts";
import type { Session } from "../../lib/batches/types.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { addWork, analyse, claim, fail } from "./work_session.ts";

const test = useTestDatabase();
const db = () => test.db;
let session: Session;

/** Five articles: two analysed, one failed for good, one that waits for another try, one untouched. */
beforeEach(async () => {
  session = await addWork(db(), 5, 1_000_000, { retryBaseMs: 60_000 });
  const claimed = await claim(db(), session.session_id, 4);
  await analyse(db(), session.session_id, claimed.slice(0, 2));
  await fail(db(), session.session_id, claimed.slice(2, 3), "give_up");
  await fail(db(), session.session_id, claimed.slice(3), "retry");
});

describe("the articles of a session", () => {
  it("come in the order of work with what became of them and what they cost", async () => {
    const items = await listItems(db(), session.session_id, { limit: 10 });
    expect(items.map(({ position, status, attempts, cost }) => ({ position, status, attempts, cost })))
      .toEqual([
        { position: 1, status: "ANALYZED", attempts: 1, cost: 100 },
        { position: 2, status: "ANALYZED", attempts: 1, cost: 100 },
        { position: 3, status: "FAILED", attempts: 1, cost: 0 },
        { position: 4, status: "PENDING", attempts: 1, cost: 0 },
        { position: 5, status: "PENDING", attempts: 0, cost: 0 },
      ]);
    expect(items[0]).toMatchObject({ sentiment: "NEUTRAL", error: null, batch_number: 1 });
    expect(items[0].signal_strength).toBeCloseTo(0.1);
    expect(items[2]).toMatchObject({ permanent: true, error_class: "blocked", sentiment: null });
  });

  it("come a page at a time, each article once", async () => {
    const first = await listItems(db(), session.session_id, { limit: 3 });
    const rest = await listItems(db(), session.session_id, { limit: 3, after: first[2].position });
    expect([...first, ...rest].map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
  });

  it("can be asked for by state", async () => {
    const waiting = await listItems(db(), session.session_id, { limit: 10, status: "PENDING" });
    expect(waiting.map(({ position }) => position)).toEqual([4, 5]);
  });
});

describe("the audit trail", () => {
  const ids = (events: readonly TrailEvent[]) => events.map(({ event_id }) => event_id);

  it("reads the same forwards and backwards, page by page", async () => {
    const all = await listEvents(db(), session.session_id, { after: 0, limit: 1_000 });
    expect(all.length).toBeGreaterThan(10);
    expect(ids(all)).toEqual(ids(all).toSorted((a, b) => a - b));
    const newest = await listEvents(db(), session.session_id, { limit: 4 });
    const earlier = await listEvents(db(), session.session_id, { limit: 1_000, before: newest[3].event_id });
    expect([...newest, ...earlier].map(({ event_id }) => event_id)).toEqual(ids(all).toReversed());
  });

  it("tells only what is new after an event that was seen", async () => {
    const [last] = await listEvents(db(), session.session_id, { limit: 1 });
    await pauseSession(db(), session.session_id, "operator:test", "operator");
    const news = await listEvents(db(), session.session_id, { after: last.event_id, limit: 10 });
    expect(news).toHaveLength(1);
    expect(news[0]).toMatchObject({ actor: "operator:test", from_state: "PROCESSING", to_state: "PAUSED" });
  });

  it("leaves single articles out when asked", async () => {
    const moves = await listEvents(db(), session.session_id, { after: 0, limit: 100, withoutArticles: true });
    expect(moves.map(({ action }) => action)).toEqual([
      "session_initiated",
      "session_started",
      "batch_started",
      "batch_started",
      "batch_ended",
    ]);
    expect(moves.every(({ article_id }) => article_id === null)).toBe(true);
  });
});

describe("the timeline of a session", () => {
  it("ends with exactly what was charged and analysed, and knows how many calls were out at once", async () => {
    await claim(db(), session.session_id, 1);
    const steps = await readTimeline(db(), session.session_id);
    expect(steps.at(-1)).toMatchObject({ spent: 200, analyzed: 2 });
    expect(Math.max(...steps.map(({ in_flight }) => in_flight))).toBe(4);
    expect(steps.reduce((sum, { failed_now }) => sum + failed_now, 0)).toBe(1);
    expect(steps.reduce((sum, { retried_now }) => sum + retried_now, 0)).toBe(1);
  });

  it("tells what was billed above holds apart from what the budget paid", async () => {
    await db().query(
      "UPDATE paid_calls SET overrun = 7 WHERE call_id = (SELECT min(call_id) FROM paid_calls WHERE state = 'SETTLED')",
    );
    expect((await readTimeline(db(), session.session_id)).at(-1)).toMatchObject({ spent: 200, overrun: 7 });
  });

  it("has at most 240 steps however long the session took", async () => {
    await db().query(
      "UPDATE batch_processing_sessions SET started_at = now() - interval '30 days' WHERE session_id = $1",
      [session.session_id],
    );
    await cancelSession(db(), session.session_id, "operator:test");
    const steps = await readTimeline(db(), session.session_id);
    expect(steps.length).toBeGreaterThan(200);
    expect(steps.length).toBeLessThanOrEqual(241);
    expect(steps.at(-1)).toMatchObject({ spent: 200, analyzed: 2 });
    expect(steps.map(({ spent }) => spent)).toEqual(
      steps.map(({ spent }) => spent).toSorted((a, b) => a - b),
    );
  });
});
