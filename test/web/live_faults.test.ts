import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { raiseAlert } from "../../lib/alerts/raise.ts";
import type { Session } from "../../lib/batches/types.ts";
import type { Database } from "../../lib/database/port.ts";
import { addWork, analyse, claim } from "../batches/work_session.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { Reading } from "./read_stream.ts";
import { makeWeb, type TestWeb } from "./web_app.ts";

const HEARTBEAT_MS = 15_000;
const test = useTestDatabase();
const apps: TestWeb[] = [];
let session: Session;
let path: string;

beforeEach(async () => {
  session = await addWork(test.db, 4);
  path = `/api/sessions/${session.number}/events`;
  // Every open stream has one: its heartbeat.
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  apps.splice(0).forEach((app) => app.endStreams());
  vi.useRealTimers();
});

function web(db: Database = test.db): TestWeb {
  const app = makeWeb(db);
  apps.push(app);
  return app;
}

describe("a live stream", () => {
  it("is not opened by HEAD, which gets no body that could be ended", async () => {
    const app = web();
    const head = await app.request(
      new Request(`http://127.0.0.1:8000${path}`, { method: "HEAD", headers: { host: "127.0.0.1:8000" } }),
    );
    expect([head.status, head.headers.get("content-type")]).toEqual([
      200,
      "text/event-stream; charset=utf-8",
    ]);
    expect(vi.getTimerCount()).toBe(0);
    const stream = new Reading(await app.get(path));
    await stream.until(({ event }) => event === "progress");
    expect(vi.getTimerCount()).toBe(1);
    await stream.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that the database leaves before it is caught up is cut off, and the next one gets everything", async () => {
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 2));
    let asked = 0;
    const failing: Database = {
      ...test.db,
      query: (...query) =>
        // What a client missed is asked for a thousand at a time.
        /FROM session_events/.test(String(query[0])) && query[1]?.at(-1) === 1_000 && ++asked === 1
          ? Promise.reject(new Error("the connection is gone"))
          : test.db.query(...query),
    };
    const app = web(failing);
    const cut = new Reading(await app.get(path, { "last-event-id": "1" }));
    await expect(cut.end()).rejects.toThrow(/could not be caught up/);
    expect(vi.getTimerCount()).toBe(0);
    expect(() => vi.advanceTimersByTime(10 * HEARTBEAT_MS)).not.toThrow();
    const again = new Reading(await app.get(path, { "last-event-id": "1" }));
    const { rows: [{ last }] } = await test.db.query<{ last: number }>(
      "SELECT max(event_id) AS last FROM session_events",
    );
    await again.until(({ id }) => id === last);
    expect(app.lines).toContainEqual(expect.objectContaining({ level: "warn" }));
  });

  it("whose client stops reading is cut off at once, with all that waits for it", async () => {
    const answer = await web().get(path);
    vi.advanceTimersByTime(200 * HEARTBEAT_MS);
    expect(vi.getTimerCount()).toBe(0);
    await expect(new Reading(answer).end()).rejects.toThrow(/reads too slowly/);
  });

  it("tells of what is wrong with the desk as a whole, too", async () => {
    const stream = new Reading(await web().get(path));
    await stream.until(({ event }) => event === "progress");
    await raiseAlert(test.db, {
      rule: "no_worker",
      text: "Nobody is at work",
    });
    const { data } = await stream.until(({ event, data }) => event === "alerts" && data.length === 1);
    expect(data).toMatchObject([{ session: null, text: "Nobody is at work" }]);
  });
});
