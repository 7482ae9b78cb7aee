import { describe, expect, it } from "vitest";
import { cancelSession } from "../../lib/batches/change_session.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { addWork, analyse, claim, fail } from "../batches/work_session.ts";
import { makeWeb, readJson, TOKEN } from "./web_app.ts";

const test = useTestDatabase();
const web = () => makeWeb(test.db);

describe("reading over the API", () => {
  it("tells of an empty desk without failing", async () => {
    expect(await readJson(await web().get("/api/status"))).toEqual({
      session: null,
      alerts: [],
      workers: [],
    });
    expect(await readJson(await web().get("/api/sessions"))).toEqual({ sessions: [], next: null });
    expect(await readJson(await web().get("/api/costs"))).toMatchObject({ days: 30, total: [], by_day: [] });
    expect(await readJson(await web().get("/api/articles"))).toMatchObject({ total: 0 });
  });

  it("reads the status once for all who ask at the same time, and anew for one who has changed something", async () => {
    await addArticles(test.db, 2);
    let queries = 0;
    const query: typeof test.db.query = (...asked) => {
      queries++;
      return test.db.query(...asked);
    };
    const app = makeWeb({ ...test.db, query });
    const ask = async () => (await readJson(await app.get("/api/status"))).session;
    await ask();
    const one = queries;
    await app.post("/api/sessions");
    queries = 0;
    expect(await Promise.all(Array.from({ length: 40 }, ask))).toHaveLength(40);
    // The session's own progress comes on top.
    expect(queries).toBeLessThanOrEqual(one * 4);
    await readJson(await app.post("/api/sessions/1/pause"));
    expect(await ask()).toMatchObject({ session: { status: "PAUSED" } });
  });

  it("gives a session with progress, batches and failures, times as text and money as whole micro-dollars", async () => {
    const session = await addWork(test.db, 4);
    const claimed = await claim(test.db, session.session_id, 3);
    await analyse(test.db, session.session_id, claimed.slice(0, 2));
    await fail(test.db, session.session_id, claimed.slice(2), "give_up");
    const detail = await readJson(await web().get(`/api/sessions/${session.number}`));
    expect(detail).toMatchObject({
      session: { number: session.number, status: "PROCESSING", analyzed: 2, failed: 1, spent: 200 },
      done: 3,
      failures: [{ error_class: "blocked", articles: 1, permanent: true }],
    });
    expect((detail.session as { created_at: string }).created_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(detail).not.toHaveProperty("session.session_id");
  });

  it("pages through sessions, articles and the trail without leaving anything out", async () => {
    const [one] = await addArticles(test.db, 1, 40);
    for (let n = 0; n < 5; n++) {
      const session = await addSession(test.db, { articles: [one], budget: micros(5_000) });
      await cancelSession(test.db, session.session_id, "test");
    }
    const seen: number[] = [];
    for (let path: string | null = "/api/sessions?limit=2"; path;) {
      const page: Record<string, unknown> = await readJson(await web().get(path));
      seen.push(...(page.sessions as { number: number }[]).map(({ number }) => number));
      path = page.next === null ? null : `/api/sessions?limit=2&before=${page.next}`;
    }
    expect(seen).toEqual([5, 4, 3, 2, 1]);

    const work = await addWork(test.db, 5);
    await analyse(test.db, work.session_id, await claim(test.db, work.session_id, 5));
    const ids: number[] = [];
    for (let path: string | null = `/api/sessions/${work.number}/trail?limit=3&after=0`; path;) {
      const page: Record<string, unknown> = await readJson(await web().get(path));
      ids.push(...(page.events as { event_id: number }[]).map(({ event_id }) => event_id));
      path = page.next === null ? null : `/api/sessions/${work.number}/trail?limit=3&after=${page.next}`;
    }
    const { rows: [{ n }] } = await test.db.query<{ n: number }>(
      "SELECT count(*) AS n FROM session_events WHERE session_id = $1",
      [work.session_id],
    );
    expect(ids.length).toBe(n);
    expect(new Set(ids).size).toBe(n);

    const first = await readJson(await web().get(`/api/sessions/${work.number}/articles?limit=3`));
    const rest = await readJson(
      await web().get(`/api/sessions/${work.number}/articles?limit=3&after=${first.next}`),
    );
    expect([...first.articles as unknown[], ...rest.articles as unknown[]]).toHaveLength(5);
    expect(rest.next).toBeNull();
  });

  it("answers 304 to one who knows how it stands, and anew after a change", async () => {
    const session = await addWork(test.db, 2);
    const path = `/api/sessions/${session.number}`;
    const etag = (await web().get(path)).headers.get("etag") ?? "";
    expect(etag).not.toBe("");
    expect((await web().get(path, { "if-none-match": etag })).status).toBe(304);
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 1));
    expect((await web().get(path, { "if-none-match": etag })).status).toBe(200);
  });

  it.each([
    ["/api/sessions/99", 404, /^There is no session 99/],
    ["/api/sessions/0", 400, /^n: /],
    ["/api/sessions/x", 400, /^n: /],
    ["/api/sessions/99999999999", 400, /^n: /],
    ["/api/sessions?limit=0", 400, /^limit: /],
    ["/api/costs?days=1e9", 400, /^days: /],
    ["/api/nothing", 404, /^There is nothing at \/api\/nothing/],
    ["/articles/7", 404, /^There is no article 7/],
  ])("refuses %s with %i in one line", async (path, status, line) => {
    const answer = await web().get(path);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    const problem = await readJson(answer, status);
    expect(problem.status).toBe(status);
    expect(problem.detail).toMatch(line);
    expect(problem.detail).not.toMatch(/\n|\bat .+\.ts/);
  });
});

describe("starting and steering over the API", () => {
  it("starts one session however often a POST with one Idempotency-Key arrives, also at once", async () => {
    await addArticles(test.db, 3);
    const app = web();
    const key = { "idempotency-key": "nightly-1" };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => app.post("/api/sessions", { budget_usd: 0.05 }, key)),
    );
    const bodies = await Promise.all(answers.map((answer) => answer.json()));
    expect(answers.every(({ status }) => status === 200 || status === 201)).toBe(true);
    expect(new Set(bodies.map(({ number }) => number))).toEqual(new Set([1]));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const later = await app.post("/api/sessions", { budget_usd: 0.05 }, key);
    expect(later.status).toBe(200);
    expect(later.headers.get("location")).toBe("/api/sessions/1");
    expect((await test.db.query("SELECT FROM batch_processing_sessions")).rowCount).toBe(1);
    expect(bodies[0]).toMatchObject({
      budget: 50_000,
      total: 3,
      started_by: "operator:http",
      simulated: true,
    });
  });

  it("refuses a key that has started something else, and starts nothing", async () => {
    await addArticles(test.db, 3);
    const app = web();
    const key = { "idempotency-key": "nightly-2" };
    await readJson(await app.post("/api/sessions", { budget_usd: 0.05, limit: 2 }, key), 201);
    for (const body of [{ budget_usd: 0.06, limit: 2 }, { budget_usd: 0.05 }, undefined]) {
      expect((await readJson(await app.post("/api/sessions", body, key), 422)).detail).toMatch(
        /the same key has started session 1 with another request/,
      );
    }
    // The same wish in other words.
    await readJson(await app.post("/api/sessions", { limit: 2, budget_usd: "0.050" }, key), 200);
    expect((await test.db.query("SELECT FROM batch_processing_sessions")).rowCount).toBe(1);
  });

  it("answers 415 to a body that would be passed over, instead of starting with the usual budget", async () => {
    await addArticles(test.db, 1);
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const answer = await web().post("/api/sessions", { budget_usd: 0.01 }, form);
    expect((await readJson(answer, 415)).detail).toMatch(/Wanted a body of Content-Type application\/json/);
    expect((await test.db.query("SELECT FROM batch_processing_sessions")).rowCount).toBe(0);
  });

  it("does not claim to know what became of a POST whose connection was lost", async () => {
    await addArticles(test.db, 1);
    const lost = () => Promise.reject(Object.assign(new Error("Connection terminated"), { code: "57P01" }));
    const app = makeWeb({ ...test.db, transaction: lost });
    const { detail } = await readJson(await app.post("/api/sessions"), 503);
    expect(detail).toMatch(/whether this was done is unknown.*same Idempotency-Key/);
  });

  it("pauses, resumes, cancels and recovers, wakes whoever does the work, and leaves a trail", async () => {
    await addArticles(test.db, 2);
    const app = web();
    await readJson(await app.post("/api/sessions"), 201);
    expect(await readJson(await app.post("/api/sessions/1/pause"))).toMatchObject({ status: "PAUSED" });
    expect(await readJson(await app.post("/api/sessions/1/resume"))).toMatchObject({ status: "PROCESSING" });
    expect(await readJson(await app.post("/api/sessions/1/cancel"))).toMatchObject({
      status: "CANCELLED",
      skipped: 2,
    });
    expect(await readJson(await app.post("/api/sessions/1/recover", { budget_usd: "0.50" }))).toMatchObject({
      session: { number: 1 },
      requeued_failed: 0,
    });
    expect(app.woken.map(({ number }) => number)).toEqual(expect.arrayContaining([1, 1]));
    const { events } = await readJson(await app.get("/api/sessions/1/trail?limit=100"));
    const actors = (events as { actor: string; action: string }[]).filter(({ action }) =>
      action.startsWith("session_")
    );
    expect(new Set(actors.map(({ actor }) => actor))).toEqual(new Set(["operator:http"]));
  });

  it("refuses what cannot be done with 409, what is malformed with 400, and starts nothing", async () => {
    await addArticles(test.db, 1);
    const app = web();
    for (
      const [body, line] of [
        [{ budget_usd: 0 }, /^budget_usd: wanted US dollars over 0/],
        [{ budget_usd: "lots" }, /^budget_usd: /],
        [{ limit: 0 }, /^limit: /],
        [{ limit: 1.5 }, /^limit: /],
        [{ research: "some" }, /^research: /],
        [{ colour: "red" }, /colour/],
      ] as const
    ) {
      expect((await readJson(await app.post("/api/sessions", body), 400)).detail).toMatch(line);
    }
    const broken = new Request("http://127.0.0.1:8000/api/sessions", {
      method: "POST",
      body: "{",
      headers: { host: "127.0.0.1", authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    });
    expect((await app.request(broken)).status).toBe(400);
    expect((await test.db.query("SELECT FROM batch_processing_sessions")).rowCount).toBe(0);
    await readJson(await app.post("/api/sessions"), 201);
    expect((await readJson(await app.post("/api/sessions"), 409)).detail).toMatch(/session 1 is PROCESSING/);
    expect((await readJson(await app.post("/api/sessions/1/recover"), 409)).detail).toMatch(/Cannot recover/);
    expect((await readJson(await app.post("/api/sessions/9/pause"), 404)).detail).toMatch(/no session 9/);
  });
});
