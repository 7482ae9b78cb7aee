/** Gemini in trouble: what it costs, how it ends. `--reporter=verbose` shows the figures. */
import { afterEach, describe, expect, it } from "vitest";
import { findViolations } from "../budget/ledger_invariants.ts";
import { GEMINI_STORMS, type GeminiStorm } from "../fakes/storms.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import {
  afterRequests,
  describeReport,
  expectWhole,
  openStormBench,
  rideOut,
  type StormBench,
} from "./storm.ts";

const test = useTestDatabase();
let bench: StormBench;
afterEach(() => bench.close());

async function all<Row extends object>(text: string): Promise<Row[]> {
  return (await test.db.query<Row>(text)).rows;
}

async function open(env?: Record<string, string>): Promise<void> {
  bench = await openStormBench(test.db, env);
  bench.startProcess();
}

interface Passing {
  storm: GeminiStorm;
  minutes: number;
  /** What the session pauses for; null: it waits without a pause. */
  pause: "provider_outage" | "rate_limited" | null;
  /** The most requests that arrive in that time. */
  requests: number;
  /** The most that it costs, micro-dollars; a hold is about 4,070. */
  charged: number;
  /**
   * Attempts that may be lost: those of the four failures before the one that opened the breaker, and when an answer from
   * before the storm comes between them they count anew, of up to three more articles that were under way.
   */
  lost: number;
}

const PASSING: Passing[] = [
  { storm: "failing", minutes: 10, pause: "provider_outage", requests: 20, charged: 0, lost: 7 },
  { storm: "overloaded", minutes: 10, pause: "provider_outage", requests: 20, charged: 0, lost: 0 },
  { storm: "gateway", minutes: 10, pause: "provider_outage", requests: 20, charged: 82_000, lost: 7 },
  { storm: "reset", minutes: 10, pause: "provider_outage", requests: 20, charged: 82_000, lost: 7 },
  { storm: "web_page", minutes: 10, pause: "provider_outage", requests: 20, charged: 82_000, lost: 7 },
  { storm: "hung", minutes: 12, pause: "provider_outage", requests: 13, charged: 53_000, lost: 7 },
  { storm: "hung", minutes: 30, pause: "provider_outage", requests: 16, charged: 66_000, lost: 7 },
  { storm: "told_to_wait", minutes: 10, pause: null, requests: 30, charged: 0, lost: 0 },
  { storm: "turned_away", minutes: 10, pause: null, requests: 30, charged: 0, lost: 0 },
  { storm: "turned_away", minutes: 25, pause: "rate_limited", requests: 40, charged: 0, lost: 0 },
];

describe("trouble with Gemini that passes is waited for, and everything is analysed afterwards", () => {
  it.for(PASSING)("$minutes minutes of $storm", async (row, context) => {
    await open();
    const report = await rideOut(test.db, bench, {
      storm: { gemini: GEMINI_STORMS[row.storm] },
      minutes: row.minutes,
    });
    await context.annotate(describeReport(report));
    await expectWhole(test.db, report);
    expect(new Set(report.pauses)).toEqual(new Set(row.pause ? [row.pause] : []));
    expect(report.requests).toBeGreaterThan(3);
    expect(report.requests).toBeLessThanOrEqual(row.requests);
    expect(report.charged).toBeLessThanOrEqual(row.charged);
    expect(report.lostAttempts).toBeLessThanOrEqual(row.lost);
    expect(report.mostLost).toBeLessThanOrEqual(1);
  });
});

describe("trouble with Gemini that needs a person", () => {
  it.for(
    [
      ["purse_empty", "purse_empty"],
      ["key_refused", "key_refused"],
    ] as const,
  )(
    "%s pauses with its reason until somebody resumes, and costs nothing",
    async ([storm, reason], context) => {
      await open();
      await addArticles(test.db, 40);
      const before = 10;
      bench.weather.gemini = afterRequests(before, GEMINI_STORMS[storm]);
      const { number } = await bench.desk.start({}, "operator:test");
      const paused = await bench.until(number, ({ status, held }) => status === "PAUSED" && held === 0);
      expect(paused).toMatchObject({ reason, resume_at: null, failed: 0, unknown: 0 });
      const refused = bench.gemini.count - before;
      expect(refused).toBeLessThanOrEqual(4);

      // Not repaired yet: one article is enough to find that out.
      await bench.desk.resume(number, "operator:test");
      await bench.until(number, ({ status, held }) => status === "PAUSED" && held === 0);
      expect(bench.gemini.count - before - refused).toBe(1);

      bench.weather.gemini = null;
      await bench.desk.resume(number, "operator:test");
      const session = await bench.untilEnded(number);
      await context.annotate(`${refused} requests were refused, then one more`);
      expect(session).toMatchObject({ status: "COMPLETED", analyzed: 40, unknown: 0, resume_tries: 0 });
      expect(await all("SELECT DISTINCT attempts FROM batch_processing_items")).toEqual([{ attempts: 1 }]);
      expect(await findViolations(test.db, session.session_id)).toEqual([]);
    },
  );
});

describe("waits that are longer than a process should hold its breath", () => {
  it.for(
    [
      ["wait_an_hour", "rate_limited", 3_599, 3_601],
      // Gemini's day ends at midnight Pacific time, between a moment and 25 hours from now.
      ["daily_quota", "quota_exhausted", 60, 25.1 * 3_600],
    ] as const,
  )("%s becomes a pause that ends by itself when it is over", async ([storm, reason, least, most]) => {
    bench = await openStormBench(test.db);
    bench.makeWorker().start();
    await addArticles(test.db, 30);
    bench.weather.gemini = afterRequests(5, GEMINI_STORMS[storm]);
    const { number } = await bench.desk.start({}, "operator:test");
    const paused = await bench.until(number, ({ status, held }) => status === "PAUSED" && held === 0);
    expect(paused).toMatchObject({ reason, failed: 0, retries: 0, unknown: 0 });
    const [{ seconds }] = await all<{ seconds: number }>(
      `SELECT extract(epoch FROM resume_at - s.at)::float8 AS seconds FROM batch_processing_sessions,
         (SELECT at FROM session_events WHERE action = 'session_paused') s`,
    );
    expect(seconds).toBeGreaterThan(least);
    expect(seconds).toBeLessThan(most);

    bench.weather.gemini = null;
    await test.db.query("UPDATE batch_processing_sessions SET resume_at = now()");
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 30 });
    expect(await all("SELECT DISTINCT attempts FROM batch_processing_items")).toEqual([{ attempts: 1 }]);
  });
});
