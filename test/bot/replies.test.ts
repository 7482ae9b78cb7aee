import type { FormattedString } from "@grammyjs/parse-mode";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paginate } from "../../bot/pages.ts";
import { alertButtons } from "../../bot/replies/alert_buttons.ts";
import { describeAlertList } from "../../bot/replies/alert_list.ts";
import { describeAlerts, describeResolved } from "../../bot/replies/alerts.ts";
import { describeAnalysis } from "../../bot/replies/analysis.ts";
import { describeVerdict } from "../../bot/replies/articles.ts";
import { bar, clock, PHONE_WIDTH } from "../../bot/replies/format.ts";
import { nameActor } from "../../bot/replies/people.ts";
import { describeProgress, sessionButtons } from "../../bot/replies/session.ts";
import { describeDetails, describeItems } from "../../bot/replies/session_details.ts";
import { describeSessions } from "../../bot/replies/session_list.ts";
import {
  describeResult,
  findRemedy,
  resultButtons,
  suggestBudget,
} from "../../bot/replies/session_result.ts";
import { MAX_ENTITIES, MAX_TEXT } from "../../bot/split_message.ts";
import { VERDICTS } from "../../lib/articles/identifier.ts";
import type { SessionArticle } from "../../lib/batches/read_items.ts";
import type { IdentificationReport } from "../../lib/articles/identifier.ts";
import { micros, ZERO } from "../../lib/money.ts";
import {
  AT,
  HOSTILE,
  makeAlert,
  makeArticle,
  makeDetail,
  makeSession,
  NOW,
  tableLines,
} from "./reply_facts.ts";

/** Fits a message, and every entity lies on whole characters inside of it. */
function expectSendable({ text, entities }: FormattedString): void {
  expect(text.trim()).not.toBe("");
  expect(text.isWellFormed()).toBe(true);
  expect(text.length).toBeLessThanOrEqual(MAX_TEXT);
  expect(entities.length).toBeLessThanOrEqual(MAX_ENTITIES);
  for (const { offset, length } of entities) {
    expect(length).toBeGreaterThan(0);
    expect(text.slice(offset, offset + length).isWellFormed()).toBe(true);
    expect(offset + length).toBeLessThanOrEqual(text.length);
  }
}

describe("a session at work", () => {
  it("says how far it is, what it costs and when it will be done", () => {
    expect(describeProgress(makeDetail({ held: micros(6_000) }), AT).text).toBe([
      "▶️ Session 12 is at work",
      "▓▓▓▓▓▓░░░░░░░░░░ 38 %",
      "",
      "Articles  18 of 50, 4 under way",
      "Failed    1",
      "Retries   3",
      "Spent     $0.0251 of $0.1000, 25 %",
      "Held      $0.0060",
      "Rate      12 a minute",
      "ETA       about 2m 30s",
      "Since     03:10",
    ].join("\n"));
  });

  it("says when the budget will not do, and that money is simulated", () => {
    const detail = makeDetail({ simulated: true }, { projected: micros(140_000), leftOut: 14 });
    const { text } = describeProgress(detail, AT);
    expect(text).toContain("Outlook   $0.1400 for all,\n          14 will not fit");
    expect(text).toContain("25 %\n          simulated");
  });

  it("says why it is paused, what still runs, and when it comes back", () => {
    const detail = makeDetail({
      status: "PAUSED",
      reason: "rate_limited",
      resume_at: new Date("2026-11-24T03:20:00Z"),
    });
    const { text } = describeProgress(detail, AT);
    expect(text).toContain("⏸ Session 12 is paused: the provider's rate limit");
    expect(text).toContain("4 articles under way will still finish; they are paid for.");
    expect(text).toContain("It tries again by itself at 03:20.");
    expect(text).not.toContain("ETA");
  });

  it("offers what can be done with it", () => {
    const labels = (status: "PROCESSING" | "PAUSED" | "COMPLETED") =>
      sessionButtons(makeSession({ status })).inline_keyboard.flat().map(({ text }) => text);
    expect(labels("PROCESSING")).toEqual(["Pause", "Cancel", "Details"]);
    expect(labels("PAUSED")).toEqual(["Resume", "Cancel", "Details"]);
    expect(labels("COMPLETED")).toEqual(["Details"]);
  });

  it("has a full bar only when everything is done", () => {
    expect(bar(199, 200)).toBe(`${"▓".repeat(15)}░`);
    expect(bar(200, 200)).toBe("▓".repeat(16));
    expect(bar(0, 0)).toBe("░".repeat(16));
  });
});

describe("a session that has ended", () => {
  const ended = {
    status: "PARTIAL" as const,
    finished_at: NOW,
    analyzed: 40,
    failed: 3,
    skipped: 7,
    reason: "budget",
  };
  const failures = [
    { error_class: "server_error", example: "503 /cancel <b>", articles: 2, permanent: false },
    { error_class: "blocked", example: "the model refuses", articles: 1, permanent: true },
  ];

  it("says what is missing and why, and what would help", () => {
    const detail = makeDetail(ended, { failures });
    const { text } = describeResult(detail, AT);
    expect(text).not.toContain("Research");
    const lacking = makeDetail({ ...ended, research_missing: 4 }, { failures });
    expect(describeResult(lacking, AT).text).toContain("Research  4 missing");
    expect(text).toContain("🟠 Session 12 ended, not complete: no room left in its budget");
    expect(text).toContain("Analysed  40 of 50");
    expect(text).toContain("Missing: 10 articles\n· 7 left out: no room left in its budget");
    expect(text).toContain("· 2 failed: server error");
    expect(text).toContain("· 1 failed, for good: blocked");
    expect(findRemedy(detail)).toEqual({ failed: 2, leftOut: 7, budget: micros(110_000) });
    expect(resultButtons(detail).inline_keyboard.flat().map(({ text: label }) => label)).toEqual([
      "Recover with $0.1100",
      "Details",
    ]);
  });

  it("offers no recovery that would change nothing", () => {
    const hopeless = makeDetail({ ...ended, skipped: 0, failed: 1, reason: "failures" }, {
      failures: failures.slice(1),
    });
    expect(findRemedy(hopeless)).toBeNull();
    for (const status of ["COMPLETED", "CANCELLED", "PAUSED", "PROCESSING"] as const) {
      expect(findRemedy(makeDetail({ ...ended, status }, { failures }))).toBeNull();
    }
  });

  it("is offered more money than it had, also when nothing was analysed", () => {
    fc.assert(fc.property(
      fc.record({
        spent: fc.nat(1_000_000),
        analyzed: fc.nat(50),
        worst: fc.nat(5_000_000),
        left: fc.integer({ min: 1, max: 50 }),
      }),
      ({ spent, analyzed, worst, left }) => {
        const session = makeSession({
          spent: micros(spent),
          budget: micros(spent + 1),
          analyzed,
          worst_cost: micros(worst),
        });
        const offered = suggestBudget(session, left);
        expect(offered).toBeGreaterThan(session.budget);
        expect(offered % 10_000).toBe(0);
        expect(offered).toBeGreaterThanOrEqual(spent + Math.ceil(worst / session.total));
      },
    ));
  });
});

describe("hostile texts", () => {
  it.each(HOSTILE)("stay text in every page of an analysis (%#)", (text) => {
    const pages = paginate(describeAnalysis(makeArticle(text), AT));
    expect(pages.length).toBeGreaterThan(0);
    for (const page of pages) {
      expectSendable(page);
      expect(page.text).not.toMatch(/[/@]\w*(cancel|everyone)/);
      expect(page.text).not.toMatch(/(?!\n)\p{Cc}|[\u202a-\u202e]/u);
    }
  });

  it("link nowhere but to web addresses", () => {
    for (const url of ["javascript:alert(1)", "tg://resolve?domain=x", "ftp://a/b", "not a url", "//x"]) {
      const shown = makeArticle("Title");
      shown.article.url = url;
      shown.analysis!.research.sources[0] = { ...shown.analysis!.research.sources[0], url };
      const entities = describeAnalysis(shown, AT).flatMap((section) => section.entities);
      expect(entities.filter(({ type }) => type === "text_link")).toEqual([]);
    }
    const shown = makeArticle("Title");
    shown.article.url = "https://good.example/a";
    expect(describeAnalysis(shown, AT)[0].entities).toContainEqual(
      expect.objectContaining({ type: "text_link", url: "https://good.example/a" }),
    );
  });

  it.each(HOSTILE)("fit every list and alert (%#)", (text) => {
    const report = {
      total: 12,
      counts: Object.fromEntries(VERDICTS.map((verdict) => [verdict, 12])),
      examples: Object.fromEntries(VERDICTS.map((verdict) => [
        verdict,
        Array.from({ length: 12 }, (_, id) => ({ id, title: text, chars: 1, language: "en", reason: text })),
      ])),
    } as unknown as IdentificationReport;
    const item = {
      position: 1,
      batch_number: 1,
      article_id: 1,
      title: text,
      source: text,
      status: "FAILED",
      reason: text,
      attempts: 3,
      recoveries: 0,
      error_class: text,
      error: text,
      permanent: false,
      cost: ZERO,
      sentiment: null,
      signal_strength: null,
      updated_at: NOW,
    } as SessionArticle;
    const failures = Array(10).fill({ error_class: text, example: text, articles: 1, permanent: false });
    const alert = makeAlert({ text, resolution: text, acknowledged_by: text, acknowledged_at: NOW });
    const detail = makeDetail({ model: text, started_by: text, research_off: text, failed: 10 }, {
      failures,
    });
    const all = [
      ...VERDICTS.map((verdict) => describeVerdict(report, verdict)),
      describeItems(detail.session, Array(12).fill(item), 0),
      describeDetails(detail, AT),
      describeProgress(detail, AT),
      describeResult(makeDetail({ ...detail.session, status: "FAILED", finished_at: NOW }, { failures }), AT),
      ...[1, 4].map((n) => describeAlerts(Array(n).fill(alert), AT)),
      describeResolved([{ ...alert, resolved_at: NOW }]),
      describeAlertList(Array(30).fill(alert), [], [], AT),
    ];
    for (const one of all) {
      expectSendable(one);
      expect(one.text).not.toMatch(/[/@](cancel|everyone)/);
    }
  });
});

describe("tables", () => {
  it("fit a phone, whatever the figures of a session are", () => {
    const amount = fc.nat(99_990_000).map(micros);
    fc.assert(
      fc.property(
        fc.record({
          total: fc.integer({ min: 1, max: 9_999 }),
          analyzed: fc.nat(9_999),
          failed: fc.nat(999),
          retries: fc.nat(9_999),
          spent: amount,
          held: amount,
          overrun: amount,
          unknown: amount,
          estimated_cost: amount,
          budget: amount.map((value) => micros(value + 1)),
          simulated: fc.boolean(),
          status: fc.constantFrom("PROCESSING", "PAUSED", "COMPLETED", "PARTIAL", "FAILED", "CANCELLED"),
          model: fc.constantFrom("gemini-3.1-flash-lite", "a-model-with-a-name-that-never-ends-2026-11"),
        }),
        fc.nat(100_000_000),
        (session, etaMs) => {
          const analyzed = Math.min(session.analyzed, session.total);
          const detail = makeDetail(
            { ...session, analyzed, finished_at: new Date("2026-11-25T23:59:00Z") } as never,
            {
              etaMs,
              processing: 256,
              projected: micros(99_990_000),
              leftOut: 9_999,
            },
          );
          for (
            const reply of [
              describeProgress(detail, AT),
              describeResult(detail, AT),
              describeSessions([detail.session], AT),
            ]
          ) {
            for (const line of tableLines(reply)) {
              expect([...line].length, line).toBeLessThanOrEqual(PHONE_WIDTH);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("alerts", () => {
  it("say what is wrong, since when and what to do", () => {
    expect(describeAlerts([makeAlert()], AT).text).toBe([
      "🔴 Budget critical · session 12",
      "Session 12 has spent 83 % of its budget: $0.0833 of $0.1000",
      "Raise the budget, or let the session stop at its cap.",
      "Since 03:02",
    ].join("\n"));
  });

  it("say who has seen them and that they are over", () => {
    const seen = makeAlert({ acknowledged_at: NOW, acknowledged_by: "operator:telegram:1001" });
    expect(describeAlerts([seen], AT).text).toContain("Since 03:02; seen by Telegram 1001, 03:12");
    const over = { ...seen, resolved_at: NOW, resolution: "the budget has room again" };
    expect(describeAlerts([over], AT).text).toMatch(/^🟢 Budget critical/);
    expect(describeAlerts([over], AT).text).not.toContain("Raise the budget");
    expect(describeResolved([over]).text).toBe(
      "🟢 Over: Budget critical · session 12\nThe budget has room again. It lasted 10m.",
    );
  });

  it("offer what helps, and nothing once they are over", () => {
    const labels = (alerts: Parameters<typeof alertButtons>[0]) =>
      alertButtons(alerts).inline_keyboard.map((row) => row.map(({ text }) => text));
    expect(labels([makeAlert()])).toEqual([["Pause", "Budget +50 %"], ["Seen", "Mute 1 h", "until morning"]]);
    expect(labels([makeAlert({ acknowledged_at: NOW })])[1]).toEqual(["Mute 1 h", "until morning"]);
    expect(labels([makeAlert({ resolved_at: NOW })]).flat()).toEqual([]);
    expect(labels([makeAlert({ rule: "budget_exhausted", lasting: false })])).toEqual([[
      "Recover",
      "Details",
    ]]);
    expect(labels([makeAlert({ rule: "daily_digest", lasting: false, number: null })]).flat()).toEqual([]);
  });

  it("keep the digest's table in one block", () => {
    const digest = makeAlert({
      rule: "daily_digest",
      lasting: false,
      level: "info",
      number: null,
      text: "2026-11-23\nSpent   $1",
    });
    const { text, entities } = describeAlerts([digest], AT);
    const [block] = entities.filter(({ type }) => type === "pre");
    expect(text.slice(block.offset, block.offset + block.length)).toBe("2026-11-23\nSpent   $1");
  });

  it("of one session stand together in the list", () => {
    const open = [
      makeAlert({ number: 1 }),
      makeAlert({ number: 2 }),
      makeAlert({ number: 1, rule: "stalled" }),
    ];
    const { text } = describeAlertList(open, [], [], AT);
    expect([...text.matchAll(/session (\d)/g)].map(([, number]) => number)).toEqual(["1", "1", "2"]);
  });
});

describe("times and people", () => {
  it("are shown in the zone of the settings, with the date when it is another day", () => {
    const at = new Date("2026-11-23T23:30:00Z");
    expect(clock(at, "UTC", NOW)).toBe("23 Nov 23:30");
    expect(clock(at, "Europe/Berlin", NOW)).toBe("00:30");
    expect(clock(new Date("2025-11-23T23:30:00Z"), "UTC", NOW)).toBe("23 Nov 2025 23:30");
  });

  it("are named in words", () => {
    expect([
      "operator:telegram:1001",
      "operator:cli",
      "operator:http",
      "cron:start_scheduled_session",
      "worker:service-1",
      null,
    ].map(nameActor)).toEqual([
      "Telegram 1001",
      "the terminal",
      "the page",
      "cron start scheduled session",
      "worker:service-1",
      "somebody",
    ]);
  });
});
