import { describe, expect, it } from "vitest";
import { findSession, readProgress } from "../../lib/batches/read_sessions.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { addWork, analyse, claim } from "./work_session.ts";

const test = useTestDatabase();

/** Analyses that are so many seconds old, in a session of 20 articles. */
async function progressWith(agesInSeconds: readonly number[]) {
  const session = await addWork(test.db, 20);
  await analyse(test.db, session.session_id, await claim(test.db, session.session_id, agesInSeconds.length));
  await test.db.query(
    `UPDATE article_analyses a SET created_at = now() - given.age * interval '1 s'
     FROM unnest($1::float8[]) WITH ORDINALITY AS given (age, place),
       (SELECT analysis_id, row_number() OVER (ORDER BY analysis_id) AS place FROM article_analyses) mine
     WHERE mine.place = given.place AND a.analysis_id = mine.analysis_id`,
    [agesInSeconds],
  );
  return await readProgress(test.db, (await findSession(test.db, session.number))!);
}

describe("the pace of a session", () => {
  it("is that of the last minute, and what is left takes as long at it", async () => {
    const { perMinute, etaMs, done } = await progressWith([300, 200, 30, 20, 10]);
    expect(done).toBe(5);
    // Three since 30 s ago; a slow machine has waited a little longer by now.
    expect(perMinute).toBeGreaterThan(4);
    expect(perMinute).toBeLessThanOrEqual(6);
    expect(etaMs).toBe(Math.round(15 / perMinute! * 60_000));
  });

  it("is not known from one analysis, nor from old ones", async () => {
    expect(await progressWith([300, 200, 10])).toMatchObject({ perMinute: null, etaMs: null });
  });
});
