import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { raiseAlert } from "../../lib/alerts/raise.ts";
import { cancelSession } from "../../lib/batches/change_session.ts";
import { addWork, analyse, claim } from "../batches/work_session.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { keepDesk } from "../helpers/kept_desk.ts";
import { endProcesses, environmentOf } from "../helpers/process.ts";

const desk = keepDesk();
const test = useTestDatabase();
let env: Record<string, string>;
// This process owns the database; every command joins it, as it joins a service.
beforeAll(() => {
  env = environmentOf(test.settings);
});
afterEach(endProcesses);

const UTC = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d UTC`;

describe("desk alerts", () => {
  it("says that nothing is wrong when nothing is", async () => {
    expect(await desk(["alerts"], env)).toEqual({ code: 0, stdout: "No alert is open\n", stderr: "" });
    expect((await desk(["alerts", "--all"], env)).stdout).toBe("No alert yet\n");
  });

  it("shows what lasts with what to do about it, and where alerts do not arrive; --all shows what happened too", async () => {
    const { session_id } = await addPaused();
    await raiseAlert(test.db, { rule: "stalled", sessionId: session_id, text: "Session 1 has stalled" });
    await cancelSession(test.db, (await addWork(test.db, 1)).session_id, "test");
    await test.db.query(
      "INSERT INTO alert_sinks (sink, attempts, last_error) VALUES ('webhook', 4, 'answered 500')",
    );
    const { stdout } = await desk(["alerts"], env);
    expect(stdout).toMatch(
      new RegExp(
        `^#1 CRITICAL Session 1 has stalled\n    stalled · since ${UTC}\n    See whether [^\n]*\n` +
          `Not delivered to webhook: answered 500, 4 times in a row; next try ${UTC}\n$`,
      ),
    );
    const all = await desk(["alerts", "--all"], env);
    expect(all.stdout).toMatch(
      /^#2 INFO Session 2 CANCELLED[^\n]*\n {4}session_ended · at [^\n]*\n#1 CRITICAL/,
    );
    expect((await desk(["alerts", "--all", "--limit", "1"], env)).stdout).not.toContain("#1 ");
    expect((await desk(["status", "1"], env)).stdout).toMatch(
      /^CRITICAL Session 1 has stalled\nSession 1 PAUSED/,
    );
  });

  it("prints one JSON document with alerts, mutes and sinks", async () => {
    await raiseAlert(test.db, { rule: "feed_failing", subject: "x", text: "x" });
    await desk(["alerts", "mute", "1h"], env);
    const { stdout, stderr } = await desk(["alerts", "--json"], env);
    expect(JSON.parse(stdout)).toEqual({
      alerts: [expect.objectContaining({ rule: "feed_failing", number: null, resolved_at: null })],
      mutes: [expect.objectContaining({ rule: null, muted_by: "operator:cli" })],
      sinks: [],
    });
    expect(stderr).toBe("");
  });

  it("acknowledges one by its number", async () => {
    await raiseAlert(test.db, { rule: "feed_failing", subject: "x", text: "x" });
    expect((await desk(["alerts", "ack", "1"], env)).stdout).toMatch(
      /#1 WARNING x\n {4}[^\n]*seen by operator:cli/,
    );
    const missing = await desk(["alerts", "ack", "99"], env);
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^There is no alert 99\.[^\n]*\n$/),
    });
  });

  it("mutes and unmutes, and says until when and what", async () => {
    await addWork(test.db, 1);
    const { stdout } = await desk(["alerts", "mute", "30m", "--rule", "stalled", "--session", "1"], env);
    expect(stdout).toMatch(new RegExp(`^Muted until ${UTC}: stalled of session 1, by operator:cli\n$`));
    const morning = await desk(["alerts", "mute", "morning"], { ...env, QUIET_HOURS: "22:00-06:30" });
    expect(morning.stdout).toMatch(/^Muted until \d{4}-\d\d-\d\d 06:30 UTC: everything, by operator:cli\n$/);
    expect((await desk(["alerts"], env)).stdout).toMatch(
      /^No alert is open\nMuted until .*\nMuted until .*\n$/,
    );
    expect((await desk(["alerts", "unmute"], env)).stdout).toBe("Ended 2 mutes\n");
    expect((await desk(["alerts", "unmute"], env)).stdout).toBe("Nothing was muted\n");
  });

  it("refuses wrong words in one line", async () => {
    const refused: [string[], number, RegExp][] = [
      [
        ["alerts", "mute", "tomorrow"],
        2,
        /^Cannot mute: wanted minutes, hours or days such as 30m[^\n]*got "tomorrow"\n$/,
      ],
      [["alerts", "mute", "0m"], 2, /^Cannot mute: wanted /],
      [["alerts", "mute", "9d"], 1, /^Cannot mute: wanted a time within the next 7 days/],
      [["alerts", "mute", "1h", "--rule", "staled"], 1, /did you mean stalled\?\n$/],
      [["alerts", "mute", "1h", "--session", "7"], 1, /^There is no session 7\./],
      [["alerts", "nonsense"], 2, /too many arguments/],
      [
        ["digest", "yesterday"],
        1,
        /^Cannot make a digest: wanted a day in UTC such as 2026-11-23, got "yesterday"\n$/,
      ],
      [["digest", "2026-02-30"], 1, /^Cannot make a digest/],
    ];
    await Promise.all(refused.map(async ([args, code, wanted]) => {
      const ended = await desk(args, env);
      expect(ended.stderr, args.join(" ")).toMatch(wanted);
      expect(ended).toMatchObject({ code, stdout: "" });
    }));
  });
});

describe("desk digest", () => {
  it("is a day in figures, also as one JSON document", async () => {
    const { session_id } = await addWork(test.db, 2);
    await analyse(test.db, session_id, await claim(test.db, session_id, 2));
    const { rows: [{ today }] } = await test.db.query<{ today: string }>(
      "SELECT (now() AT TIME ZONE 'UTC')::date::text AS today",
    );
    expect((await desk(["digest", today], env)).stdout).toMatch(
      /#1 PROCESSING 2\/2 \$0\.0002\n\nAnalysed {2}2 articles\n/,
    );
    expect(JSON.parse((await desk(["digest", today, "--json"], env)).stdout)).toMatchObject({
      day: today,
      articles: { analyzed: 2, failed: 0 },
    });
    expect((await desk(["digest"], env)).stdout).toMatch(/\(UTC\)\nNo session worked\n/);
  });
});

describe("desk monitor", () => {
  it("shows how each live session fares, raises what it finds and ends what is finished", async () => {
    const done = await addPaused();
    await analyse(test.db, done.session_id, await claimPaused(done.session_id));
    const { session_id } = await addWork(test.db, 10);
    await analyse(test.db, session_id, await claim(test.db, session_id, 4));
    await test.db.query(
      "UPDATE batch_processing_items SET not_before = now() - interval '1 hour' WHERE status = 'PENDING'",
    );
    await test.db.query(
      `UPDATE batch_processing_sessions SET last_progress_at = now() - interval '40 minutes', failed = 2, retries = 2,
         skipped = 0 WHERE session_id = $1`,
      [session_id],
    );
    await test.db.query("UPDATE paid_calls SET held_at = now() - interval '40 minutes'");
    const { stdout } = await desk(["monitor"], env);
    expect(stdout).toMatch(/^Ended sessions: 1\nSession 2 PROCESSING: 6\/10 articles/);
    expect(stdout).toMatch(
      /\n {4}33 % failed · 25 % of tries repeated · signal 0\.10 on average · nothing ended for 40m/,
    );
    expect(stdout).toMatch(/\nNo worker is alive\n#\d+ CRITICAL Session 2 has stalled: /);
    expect(stdout).toMatch(/ WARNING Session 2: 2 of 6 articles failed \(33 %\)\n/);
    const report = JSON.parse((await desk(["monitor", "--json"], env)).stdout);
    expect(report).toMatchObject({ ended: [], raised: [], resolved: [], workers: [] });
    expect(report.open.map(({ rule }: { rule: string }) => rule).toSorted()).toEqual([
      "failure_rate",
      "no_worker",
      "stalled",
    ]);
    expect(report.sessions[0]).toMatchObject({
      failureRate: 2 / 6,
      retryRate: 2 / 8,
      leftOut: 0,
      quotesKept: 0,
    });
  });
});

/** A session of one article, under way, paused. */
async function addPaused() {
  const { session_id } = await addWork(test.db, 1);
  await test.db.query(
    "UPDATE batch_processing_sessions SET status = 'PAUSED', reason = 'operator' WHERE session_id = $1",
    [
      session_id,
    ],
  );
  return { session_id };
}

async function claimPaused(sessionId: string) {
  const set = (status: string) =>
    test.db.query("UPDATE batch_processing_sessions SET status = $2 WHERE session_id = $1", [
      sessionId,
      status,
    ]);
  await set("PROCESSING");
  const items = await claim(test.db, sessionId, 1);
  await set("PAUSED");
  return items;
}
