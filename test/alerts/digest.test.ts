import { describe, expect, it } from "vitest";
import { type Digest, raiseDigest, readDigest, readYesterday } from "../../lib/alerts/digest.ts";
import { describeDigest } from "../../lib/alerts/digest_text.ts";
import { cancelSession } from "../../lib/batches/change_session.ts";
import { recoverSession } from "../../lib/batches/recover_items.ts";
import { type Micros, micros } from "../../lib/money.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { addWork, analyse, claim, fail, workToTheEnd } from "../batches/work_session.ts";

const test = useTestDatabase();

async function readToday(): Promise<string> {
  const { rows: [{ day }] } = await test.db.query<{ day: string }>(
    "SELECT (now() AT TIME ZONE 'UTC')::date::text AS day",
  );
  return day;
}

/** Everything a session can have on a day: analyses, failures of two kinds, a recovery, unknown calls, a search. */
async function addBusyDay(): Promise<void> {
  const { session_id } = await addWork(test.db, 8, 1_000_000, { maxAttempts: 1 });
  await analyse(test.db, session_id, await claim(test.db, session_id, 3));
  await fail(test.db, session_id, await claim(test.db, session_id, 2), "retry");
  await fail(test.db, session_id, await claim(test.db, session_id, 2), "give_up");
  await workToTheEnd(test.db, session_id);
  await recoverSession(test.db, session_id, null, "test");
  await fail(test.db, session_id, await claim(test.db, session_id, 1), "retry");
  await workToTheEnd(test.db, session_id);
  await test.db.query(
    `UPDATE paid_calls SET state = 'UNKNOWN', spent = amount WHERE call_id = (SELECT min(call_id) FROM paid_calls WHERE session_id = $1)`,
    [session_id],
  );
  await test.db.query(
    `UPDATE paid_calls SET kind = 'search', provider = 'tavily', model = 'basic', credits = 1, overrun = 50
     WHERE call_id = (SELECT max(call_id) FROM paid_calls WHERE session_id = $1 AND state = 'SETTLED')`,
    [session_id],
  );
  await test.db.query("UPDATE paid_calls SET answered_model = 'gemini-9' WHERE call_id % 2 = 0");
  await test.db.query("UPDATE paid_calls SET simulated = true WHERE call_id % 3 = 0");
}

/** Puts everything that there is two days back. */
async function moveToThePast(): Promise<void> {
  await test.db.query("ALTER TABLE session_events DISABLE TRIGGER session_events_append_only");
  await test.db.query("UPDATE session_events SET at = at - interval '2 days'");
  await test.db.query("ALTER TABLE session_events ENABLE TRIGGER session_events_append_only");
  await test.db.query("UPDATE article_analyses SET created_at = created_at - interval '2 days'");
  await test.db.query("UPDATE paid_calls SET day = day - 2");
  await test.db.query(
    `UPDATE batch_processing_sessions SET created_at = created_at - interval '2 days',
       started_at = started_at - interval '2 days', finished_at = finished_at - interval '2 days'`,
  );
}

/** The figures of a day, added up here from the rows themselves. */
async function addUp(day: string): Promise<Pick<Digest, "articles" | "spend" | "failures">> {
  const isThat = (at: Date) => at.toISOString().startsWith(day);
  const { rows: analyses } = await test.db.query<{ article_id: number; created_at: Date }>(
    "SELECT article_id, created_at FROM article_analyses",
  );
  const { rows: events } = await test.db.query<
    { item_id: number; action: string; at: Date; detail: { error_class: string } }
  >("SELECT item_id, action, at, detail FROM session_events ORDER BY event_id");
  const { rows: calls } = await test.db.query<
    {
      day: string;
      kind: string;
      provider: string;
      model: string;
      answered_model: string | null;
      simulated: boolean;
      spent: number;
      overrun: number;
    }
  >("SELECT *, day::text AS day FROM paid_calls");
  const reasonOf = new Map(
    events.filter(({ action, at }) => action === "item_failed" && isThat(at)).map((
      { item_id, detail },
    ) => [item_id, detail.error_class]),
  );
  const failures = new Map<string, number>();
  for (const reason of reasonOf.values()) failures.set(reason, (failures.get(reason) ?? 0) + 1);
  const spend = new Map<string, Digest["spend"][number]>();
  for (const call of calls.filter((each) => each.day === day)) {
    const { kind, provider, simulated } = call;
    const model = call.answered_model ?? call.model;
    const key = [kind, provider, model, simulated].join(" ");
    const line = spend.get(key) ?? { kind, provider, model, simulated, calls: 0, spent: micros(0) };
    spend.set(key, { ...line, calls: line.calls + 1, spent: micros(line.spent + call.spent + call.overrun) });
  }
  return {
    articles: {
      analyzed:
        new Set(analyses.filter(({ created_at }) => isThat(created_at)).map(({ article_id }) => article_id))
          .size,
      failed: reasonOf.size,
    },
    failures: [...failures].map(([reason, articles]) => ({ reason, articles })),
    spend: [...spend.values()],
  };
}

const sorted = <T>(rows: readonly T[]) =>
  rows.map((row) => JSON.stringify(row, Object.keys(row as object).toSorted())).toSorted();

describe("the digest of a day", () => {
  it("has the figures that the rows add up to, and nothing of another day", async () => {
    await addBusyDay();
    await moveToThePast();
    await addBusyDay();
    const today = await readToday();
    const twoDaysAgo = new Date(Date.parse(today) - 2 * 86_400_000).toISOString().slice(0, 10);
    for (const day of [today, twoDaysAgo]) {
      const digest = await readDigest(test.db, day, 4);
      const wanted = await addUp(day);
      expect(digest.articles).toEqual(wanted.articles);
      expect(digest.articles.analyzed).toBeGreaterThan(3);
      expect(digest.articles.failed).toBeGreaterThan(2);
      expect(sorted(digest.failures)).toEqual(sorted(wanted.failures));
      expect(sorted(digest.spend)).toEqual(sorted(wanted.spend));
      expect(digest.spend.length).toBeGreaterThan(3);
      expect(digest.sessions.map(({ number }) => number)).toEqual([day === today ? 2 : 1]);
      expect(digest.unknown).toEqual({ calls: 2, amount: 2_000 });
    }
    const quiet = await readDigest(test.db, "2020-01-01", 4);
    expect(quiet).toMatchObject({
      sessions: [],
      articles: { analyzed: 0, failed: 0 },
      spend: [],
      failures: [],
    });
  });

  it("counts what nobody has read, and leaves out what was given up", async () => {
    await addArticles(test.db, 5);
    await test.db.query("UPDATE articles SET analyzed_at = now() WHERE id = 1");
    await test.db.query("UPDATE articles SET given_up = 'blocked' WHERE id = 2");
    await test.db.query("UPDATE articles SET status = 'ARCHIVED' WHERE id = 3");
    expect((await readDigest(test.db, await readToday(), 1)).backlog).toEqual({ unread: 2, ready: 1 });
  });

  it("has every session that worked that day, also one that began before and one that goes on", async () => {
    const { session_id } = await addWork(test.db, 1);
    await cancelSession(test.db, session_id, "test");
    await test.db.query("UPDATE batch_processing_sessions SET created_at = created_at - interval '3 days'");
    await addWork(test.db, 1);
    const today = await readToday();
    const yesterday = new Date(Date.parse(today) - 86_400_000).toISOString().slice(0, 10);
    expect((await readDigest(test.db, today, 0)).sessions.map(({ number }) => number)).toEqual([1, 2]);
    expect((await readDigest(test.db, yesterday, 0)).sessions.map(({ number }) => number)).toEqual([1]);
  });
});

describe("sending the digest", () => {
  it("happens once a day, however many processes try at once", async () => {
    const digest = await readDigest(test.db, await readYesterday(test.db), 0);
    const sent = await Promise.all(
      Array.from({ length: 6 }, () => raiseDigest(test.db, digest, "cron:send_digest")),
    );
    expect(sent.filter(Boolean)).toHaveLength(1);
    expect(await raiseDigest(test.db, digest, "operator:cli")).toBe(false);
    const { rows } = await test.db.query("SELECT rule, level, dedupe_key, lasting, detail FROM alerts");
    expect(rows).toEqual([{
      rule: "daily_digest",
      level: "info",
      dedupe_key: `daily_digest:${digest.day}`,
      lasting: false,
      detail: expect.objectContaining({ by: "cron:send_digest", day: digest.day }),
    }]);
  });

  it("is about yesterday in UTC", async () => {
    expect(await readYesterday(test.db, new Date("2026-03-01T00:00:01Z"))).toBe("2026-02-28");
    expect(await readYesterday(test.db, new Date("2026-01-01T23:59:59Z"))).toBe("2025-12-31");
  });
});

const DIGEST: Digest = {
  day: "2026-11-23",
  sessions: [{
    number: 12,
    status: "PARTIAL",
    reason: "budget",
    analyzed: 96,
    failed: 3,
    skipped: 101,
    total: 200,
    spent: 299_900 as Micros,
    simulated: false,
    started_at: null,
    finished_at: null,
  }],
  articles: { analyzed: 96, failed: 3 },
  spend: [
    {
      kind: "analysis",
      provider: "gemini",
      model: "gemini-3.1-flash-lite",
      simulated: false,
      calls: 99,
      spent: 250_000 as Micros,
    },
    {
      kind: "search",
      provider: "tavily",
      model: "basic",
      simulated: false,
      calls: 6,
      spent: 48_000 as Micros,
    },
    {
      kind: "validation",
      provider: "gemini",
      model: "gemini-3.1-flash-lite",
      simulated: false,
      calls: 6,
      spent: 1_900 as Micros,
    },
  ],
  failures: [{ reason: "prompt_blocked", articles: 2 }, { reason: "timed_out", articles: 1 }],
  unknown: { calls: 1, amount: 3_900 as Micros },
  backlog: { unread: 140, ready: 101 },
};

describe("the digest in words", () => {
  it("fits a phone and names what was done, paid, missed and left", () => {
    const text = describeDigest(DIGEST);
    expect(text).toBe(
      [
        "2026-11-23 (UTC)",
        "#12 PARTIAL 96/200 $0.2999",
        "  no room left in its budget",
        "",
        "Analysed  96 articles",
        "Failed    3 articles",
        "  prompt blocked                  2",
        "  timed out                       1",
        "",
        "Spent     $0.2999",
        "  gemini-3.1-flash-lite     $0.2500",
        "  tavily search             $0.0480",
        "  validation gemini-3.1-fl… $0.0019",
        "",
        "Unknown   1 call, $0.0039",
        "",
        "Waiting   101 articles ready",
        "          39 not ready",
      ].join("\n"),
    );
  });

  it("keeps real and simulated money apart, cuts long lists and says when there was nothing", () => {
    const spend = Array.from({ length: 20 }, (_, n) => ({
      kind: "analysis",
      provider: "gemini",
      model: `a-model-with-a-name-that-is-far-too-long-${n}`,
      simulated: n >= 15,
      calls: 1,
      spent: 1_000 as Micros,
    }));
    const lines = describeDigest({ ...DIGEST, spend, failures: [], articles: { analyzed: 0, failed: 0 } })
      .split("\n");
    expect(lines).toContain("Spent     $0.0150");
    expect(lines).toContain("Spent     $0.0050 simulated");
    expect(lines).toContain("  and 7 more");
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(36);
    const nothing = { calls: 0, amount: 0 as Micros };
    expect(describeDigest({ ...DIGEST, sessions: [], spend: [], unknown: nothing })).toMatch(
      /No session worked[^]*Spent {5}nothing/,
    );
  });
});
