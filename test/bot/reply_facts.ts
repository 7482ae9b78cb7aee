/** Facts to describe: a session, an article, an alert, as ordinary or as hostile as a test wants them. */
import type { FormattedString } from "@grammyjs/parse-mode";
import type { Alert } from "../../lib/alerts/types.ts";
import type { ShownArticle } from "../../lib/articles/show_article.ts";
import type { Session } from "../../lib/batches/types.ts";
import type { SessionDetail } from "../../lib/desk.ts";
import { micros, ZERO } from "../../lib/money.ts";
import { PLAIN_READING, TEST_SETTINGS } from "../helpers/articles.ts";

export const NOW = new Date("2026-11-24T03:12:00Z");
export const AT = { now: NOW, zone: "UTC" };

export function makeSession(given: Partial<Session> = {}): Session {
  return {
    session_id: "0b9d2f6e-0000-4000-8000-000000000001",
    number: 12,
    status: "PROCESSING",
    reason: null,
    provider: "gemini",
    model: "gemini-3.1-flash-lite",
    simulated: false,
    budget: micros(100_000),
    held: ZERO,
    spent: micros(25_100),
    unknown: ZERO,
    overrun: ZERO,
    estimated_cost: micros(65_000),
    worst_cost: micros(221_000),
    total: 50,
    analyzed: 18,
    failed: 1,
    skipped: 0,
    retries: 3,
    failure_run: 0,
    stale_writes: 0,
    research_missing: 0,
    ungrounded: 0,
    research_off: null,
    resume_at: null,
    resume_tries: 0,
    settings: TEST_SETTINGS,
    started_by: "operator:telegram:1001",
    created_at: new Date("2026-11-24T03:10:00Z"),
    started_at: new Date("2026-11-24T03:10:00Z"),
    finished_at: null,
    last_progress_at: new Date("2026-11-24T03:11:58Z"),
    ...given,
  };
}

export function makeDetail(
  session: Partial<Session> = {},
  given: Partial<SessionDetail> = {},
): SessionDetail {
  const made = makeSession(session);
  return {
    session: made,
    done: made.analyzed + made.failed + made.skipped,
    processing: 4,
    perMinute: 12.4,
    etaMs: 150_000,
    projected: micros(68_000),
    nextDueMs: null,
    leftOut: 0,
    failureRate: 0.05,
    retryRate: 0.1,
    quietMs: 2_000,
    batches: [],
    batch_count: 0,
    failures: [],
    ...given,
  };
}

export function makeAlert(given: Partial<Alert> = {}): Alert {
  return {
    alert_id: 31,
    session_id: "0b9d2f6e-0000-4000-8000-000000000001",
    number: 12,
    dedupe_key: "budget_critical:1",
    rule: "budget_critical",
    level: "critical",
    text: "Session 12 has spent 83 % of its budget: $0.0833 of $0.1000",
    detail: {},
    lasting: true,
    created_at: new Date("2026-11-24T03:02:00Z"),
    acknowledged_at: null,
    acknowledged_by: null,
    resolved_at: null,
    resolution: null,
    ...given,
  };
}

/** What a newsletter, a model or somebody with bad intentions may write. */
export const HOSTILE = [
  "*bold* _under_ `code` [link](https://evil.example) <b>html</b> &amp; |table|",
  "/cancel 12 @everyone #tag https://evil.example/x?a=b",
  "שלום עולם 12 \u202e 34 \u2066 מחיר",
  "👩‍👩‍👧‍👦".repeat(300),
  `Z${"\u0335\u0336".repeat(500)}algo`,
  "x".repeat(10_000),
  "a\ud800b\u0000c\u0007",
  "\n\n\n  \t ",
  "line\nline\r\nline\u2028line",
  "",
];

export function makeArticle(text: string): ShownArticle {
  return {
    article: {
      id: 42,
      source: text,
      url: text,
      title: text,
      body: text,
      body_chars: text.length,
      language: "en",
      published_at: NOW,
      given_up: null,
    },
    analysis: {
      ...PLAIN_READING,
      summary: text || "s",
      context: text,
      topics: Array(12).fill(text),
      entities: Array(20).fill({ name: text, type: "OTHER" }),
      weak_signals: Array(6).fill({
        type: text,
        description: text,
        confidence: 0.5,
        implications: text,
        evidence: Array(5).fill(text),
        timeframe: "SHORT_TERM",
      }),
      pattern_anomalies: Array(5).fill(text),
      adjacent_connections: Array(5).fill(text),
      narrative_gaps: Array(5).fill(text),
      edge_indicators: Array(5).fill(text),
      analysis_id: 1,
      version: 1,
      session_number: 12,
      provider: text,
      model: text,
      prompt_version: text,
      simulated: true,
      ungrounded: 3,
      research: {
        status: "CONTRADICTED",
        reason: text,
        queries: [text, text],
        sources: Array(5).fill({ title: text, url: text, published_at: null, score: 1, excerpt: text }),
      },
      input_tokens: 1,
      output_tokens: 1,
      cost: micros(700),
      created_at: NOW,
    },
    calls: Array(20).fill({
      call_id: 1,
      session_number: 12,
      kind: "analysis",
      provider: text,
      model: text,
      state: "SETTLED",
      attempt: 1,
      amount: micros(900),
      spent: micros(700),
      overrun: ZERO,
      simulated: true,
      failure: text,
      detail: text,
      held_at: NOW,
      ended_at: NOW,
    }),
  };
}

/** The lines of monospaced blocks, which a phone does not wrap. */
export function tableLines({ text, entities }: FormattedString): string[] {
  return entities.filter(({ type }) => type === "pre")
    .flatMap(({ offset, length }) => text.slice(offset, offset + length).split("\n"));
}
