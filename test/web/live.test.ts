import { afterEach, describe, expect, it } from "vitest";
import { pauseSession } from "../../lib/batches/change_session.ts";
import type { Database } from "../../lib/database/port.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { addWork, analyse, claim } from "../batches/work_session.ts";
import { Reading } from "./read_stream.ts";
import { makeWeb, type TestWeb } from "./web_app.ts";

const test = useTestDatabase();
const apps: TestWeb[] = [];
afterEach(() => apps.splice(0).forEach((app) => app.endStreams()));

function web(): TestWeb {
  const app = makeWeb(test.db);
  apps.push(app);
  return app;
}

async function open(app: TestWeb, number: number, lastId?: number): Promise<Reading> {
  const answer = await app.get(
    `/api/sessions/${number}/events`,
    lastId === undefined ? {} : { "last-event-id": String(lastId) },
  );
  expect(answer.headers.get("content-type")).toMatch(/^text\/event-stream/);
  return new Reading(answer);
}

async function allIds(sessionId: string, after = 0): Promise<number[]> {
  const { rows } = await test.db.query<{ event_id: number }>(
    "SELECT event_id FROM session_events WHERE session_id = $1 AND event_id > $2 ORDER BY event_id",
    [sessionId, after],
  );
  return rows.map(({ event_id }) => event_id);
}

describe("a live stream", () => {
  it("begins with how things stand and tells what another process does, each event once and in order", async () => {
    const session = await addWork(test.db, 6);
    const before = await allIds(session.session_id);
    const stream = await open(web(), session.number);
    expect((await stream.until(({ event }) => event === "progress")).data).toMatchObject({ done: 0 });
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 3));
    await stream.until(({ event, data }) => event === "progress" && data.done === 3);
    await pauseSession(test.db, session.session_id, "operator:test", "operator");
    await stream.until(({ data }) => data.action === "session_paused");
    expect(stream.ids).toEqual(await allIds(session.session_id, before.at(-1)));
  });

  it("that was cut off is caught up from the last event that was seen, while work goes on", async () => {
    const session = await addWork(test.db, 8);
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 4));
    const all = await allIds(session.session_id);
    const seen = all[Math.floor(all.length / 3)];
    const app = web();
    const other = await open(app, session.number);
    await other.until(({ event }) => event === "progress");
    const stream = await open(app, session.number, seen);
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 4));
    const last = (await allIds(session.session_id)).at(-1);
    await stream.until(({ id }) => id === last);
    expect(stream.ids).toEqual(await allIds(session.session_id, seen));
  });

  it("that missed too much is told to load anew and then goes on with what is new", async () => {
    const session = await addWork(test.db, 2);
    await test.db.query(
      `INSERT INTO session_events (session_id, actor, action)
       SELECT $1, 'test', 'filler' FROM generate_series(1, 6500)`,
      [session.session_id],
    );
    const stream = await open(web(), session.number, 1);
    await stream.until(({ event }) => event === "reset");
    await pauseSession(test.db, session.session_id, "operator:test", "operator");
    await stream.until(({ data }) => data.action === "session_paused");
    expect(stream.ids.length).toBeLessThan(6_000);
  });

  it("is one reading for all who open at once, and one look a second however many listen", async () => {
    const session = await addWork(test.db, 2);
    let queries = 0;
    const counting: Database = {
      ...test.db,
      query: (...asked) => {
        queries++;
        return test.db.query(...asked);
      },
    };
    const app = makeWeb(counting);
    apps.push(app);
    /** A look asks for the session, its progress, its events and the alerts: a handful. */
    const queriesOfLooks = (fromMs: number) => 8 * (Math.ceil((performance.now() - fromMs) / 1_000) + 1);
    const opened = performance.now();
    const streams = await Promise.all(Array.from({ length: 50 }, () => open(app, session.number)));
    await Promise.all(streams.map((stream) => stream.until(({ event }) => event === "progress")));
    // They opened together, so the session was read once for all of them, and then looked at.
    expect(queries).toBeLessThanOrEqual(10 + queriesOfLooks(opened));
    const [before, since] = [queries, performance.now()];
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 1));
    await Promise.all(streams.map((stream) => stream.until(({ data }) => data.done === 1)));
    expect(queries - before).toBeLessThanOrEqual(queriesOfLooks(since));
    await Promise.all(streams.slice(1).map((stream) => stream.cancel()));
    await pauseSession(test.db, session.session_id, "operator:test", "operator");
    await streams[0].until(({ data }) => data.action === "session_paused");
  });

  it("of moves only leaves single articles out and still tells how far the session is", async () => {
    const session = await addWork(test.db, 4);
    const answer = await web().get(`/api/sessions/${session.number}/events?events=moves`);
    const stream = new Reading(answer);
    await stream.until(({ event }) => event === "progress");
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 3));
    await stream.until(({ event, data }) => event === "progress" && data.done === 3);
    await stream.until(({ data }) => data.action === "batch_ended");
    const told = stream.messages.filter(({ event }) => event === "event");
    expect(told.every(({ data }) => data.article_id === null)).toBe(true);
  });

  it("ends when the service stops", async () => {
    const session = await addWork(test.db, 1);
    const app = web();
    const stream = await open(app, session.number);
    await stream.until(({ event }) => event === "progress");
    app.endStreams();
    expect(await stream.end()).toBe(true);
  });

  it("of a session that does not exist is 404", async () => {
    expect((await web().get("/api/sessions/77/events")).status).toBe(404);
  });
});
