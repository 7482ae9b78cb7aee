import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createOfflineAnalyst } from "../../lib/analysis/offline/analyst.ts";
import { createOfflineResearcher } from "../../lib/analysis/offline/researcher.ts";
import { PROMPT_OVERHEAD_TOKENS } from "../../lib/analysis/offline/usage.ts";
import type { ArticleText } from "../../lib/analysis/port.ts";
import { micros } from "../../lib/money.ts";
import { expectSoundResult } from "./conformance.ts";
import {
  ALL_ARTICLES,
  CALM_ARTICLE,
  GERMAN_ARTICLE,
  PROTOCOL_ARTICLE,
  REGULATION_ARTICLE,
  SECURITY_ARTICLE,
} from "./offline_articles.ts";

const analyst = createOfflineAnalyst({ model: "gemini-3.5-flash-lite" });
const never = new AbortController().signal;

async function analyse(article: ArticleText) {
  const result = await analyst.analyse(article, never);
  if (!result.ok) throw new Error(`${result.failure}: ${result.message}`);
  return { ...result.value, usage: result.usage };
}

describe("the offline analyst", () => {
  it("summarises with whole sentences of the article, in its order", async () => {
    for (const article of ALL_ARTICLES) {
      const { summary } = (await analyse(article)).analysis;
      const sentences = summary.split(/(?<=[.?]) /);
      expect(sentences.length).toBeGreaterThanOrEqual(2);
      const places = sentences.map((sentence) => article.body.replace(/\s+/g, " ").indexOf(sentence));
      expect(places).not.toContain(-1);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    }
  });

  it("sees a disclosed vulnerability as a security signal with the sentence as evidence", async () => {
    const { analysis, ungrounded } = await analyse(SECURITY_ARTICLE);
    expect(ungrounded).toBe(0);
    expect(analysis.weak_signals[0].type).toBe("security");
    expect(analysis.weak_signals[0].evidence[0]).toMatch(/vulnerability|attack|steal/);
    expect(analysis.sentiment).toBe("NEGATIVE");
    expect(analysis.topics).toContain("security");
  });

  it("names well-known projects, numbered standards and people, typed and once each", async () => {
    const security = (await analyse(SECURITY_ARTICLE)).analysis.entities;
    expect(security).toContainEqual({ name: "Eclair", type: "PROJECT" });
    expect(security).toContainEqual({ name: "CVE-2026-10442", type: "OTHER" });
    expect(security).toContainEqual({ name: "ACINQ", type: "ORGANIZATION" });
    const protocol = (await analyse(PROTOCOL_ARTICLE)).analysis.entities;
    expect(protocol).toContainEqual({ name: "BIP999", type: "PROTOCOL" });
    expect(protocol).toContainEqual({ name: "Anthony Towns", type: "PERSON" });
    expect(protocol.map(({ name }) => name)).not.toContain("Towns");
  });

  it("sees a draft law as regulation and places it by its year", async () => {
    const { analysis } = await analyse(REGULATION_ARTICLE);
    expect(analysis.topics).toContain("regulation");
    expect(analysis.weak_signals.map(({ type }) => type)).toContain("regulation");
    expect(analysis.entities).toContainEqual({ name: "Norway", type: "PLACE" });
  });

  it("sees a proposal as a protocol signal and its figure as an anomaly", async () => {
    const { analysis } = await analyse(PROTOCOL_ARTICLE);
    expect(analysis.weak_signals[0].type).toBe("protocol");
    expect(analysis.topics).toContain("soft forks");
    expect(JSON.stringify([analysis.pattern_anomalies, analysis.edge_indicators])).toMatch(
      /38%|experimental|signet/,
    );
  });

  it("says where it infers by rule", async () => {
    for (const article of [SECURITY_ARTICLE, REGULATION_ARTICLE, PROTOCOL_ARTICLE]) {
      for (const { implications } of (await analyse(article)).analysis.weak_signals) {
        expect(implications).toMatch(/^By rule: /);
      }
    }
  });

  it("finds no signal where there is none and scores it low", async () => {
    const calm = (await analyse(CALM_ARTICLE)).analysis;
    const alarming = (await analyse(SECURITY_ARTICLE)).analysis;
    expect(calm.weak_signals).toEqual([]);
    expect(calm.signal_strength).toBeLessThan(0.1);
    expect(alarming.signal_strength).toBeGreaterThan(calm.signal_strength + 0.2);
    expect(alarming.impact_score).toBeGreaterThan(calm.impact_score + 0.2);
  });

  it("is less sure of a text that is not English", async () => {
    const german = (await analyse(GERMAN_ARTICLE)).analysis;
    expect(german.summary).not.toBe("");
    expect(german.confidence).toBeLessThan(0.25);
    expect(german.sentiment).toBe("NEUTRAL");
    expect((await analyse(SECURITY_ARTICLE)).analysis.confidence).toBeGreaterThan(0.35);
  });

  it("gives articles different scores", async () => {
    const scores = await Promise.all(ALL_ARTICLES.map(async (article) => (await analyse(article)).analysis));
    for (const key of ["impact_score", "signal_strength", "uniqueness_score", "confidence"] as const) {
      expect(new Set(scores.map((analysis) => analysis[key])).size, key).toBeGreaterThanOrEqual(3);
    }
  });

  it("reads an article the same whatever it read before", async () => {
    const first = await analyse(SECURITY_ARTICLE);
    for (const article of ALL_ARTICLES) await analyse(article);
    await analyse({
      ...CALM_ARTICLE,
      body: "Eclair's zkfoo-bar ACINQ's 10442 Vidalx disclosex. ".repeat(50),
    });
    expect(await analyse(SECURITY_ARTICLE)).toEqual(first);
  });

  it("counts simulated tokens from the bytes it read and the JSON it wrote", async () => {
    const { analysis, usage } = await analyse(SECURITY_ARTICLE);
    const bytes = new TextEncoder().encode(SECURITY_ARTICLE.title + SECURITY_ARTICLE.body).length;
    expect(usage).toEqual({
      inputTokens: PROMPT_OVERHEAD_TOKENS + Math.ceil(bytes / 4.3),
      outputTokens: Math.ceil(JSON.stringify(analysis).length / 4),
      thoughtTokens: 0,
      cachedTokens: 0,
    });
    expect(usage?.outputTokens).toBeLessThanOrEqual(380);
  });

  it.each(["", " \n\n ", "\u200b"])("gives up on an empty article without a bill: %j", async (body) => {
    expect(await analyst.analyse({ ...CALM_ARTICLE, body }, never)).toMatchObject({
      ok: false,
      failure: "empty_article",
      action: "give_up",
      billing: "NOT_BILLED",
      usage: null,
    });
  });

  it("stops within a long text, can be tried again and bills nothing", async () => {
    const controller = new AbortController();
    const body = `${SECURITY_ARTICLE.body}\n\n`.repeat(2000);
    const pending = analyst.analyse({ ...SECURITY_ARTICLE, body }, controller.signal);
    setTimeout(() => controller.abort(), 20);
    expect(await pending).toMatchObject({
      ok: false,
      failure: "timed_out",
      action: "retry",
      billing: "NOT_BILLED",
    });
  });

  it("lets other work run while it reads", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await analyse({ ...SECURITY_ARTICLE, body: `${SECURITY_ARTICLE.body}\n\n`.repeat(200) });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  it("answers any text with a sound value", async () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 80 }),
      fc.string({ unit: "grapheme", maxLength: 80 }),
      fc.constantFrom(
        "An attacker can exploit the vulnerability",
        "CVE-2026-1",
        ". ",
        "\n\n",
        "\n- ",
        "“Why?” he asked",
        "Lightning Labs",
        "it’s 12% up",
        "’s",
        "U.S.",
        "\u0301",
      ),
    );
    const body = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(" "));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 40 }), body, async (title, body) => {
        const article = { ...CALM_ARTICLE, title, body };
        expectSoundResult(await analyst.analyse(article, never), analyst, article);
      }),
      { numRuns: 400 },
    );
  });
});

describe("the offline analyst as a validator", () => {
  const claim = "Eclair vulnerability let an attacker steal channel funds";
  const source = (title: string, excerpt: string) => ({
    title,
    excerpt,
    url: "https://example.org",
    published_at: null,
    score: null,
  });

  it.each([
    ["VALIDATED", [
      source("Eclair patch", "A vulnerability in Eclair let attackers steal funds from a channel."),
    ]],
    ["CONTRADICTED", [
      source("Eclair", "Reports of a vulnerability that let an attacker steal funds in Eclair are false."),
    ]],
    ["INCONCLUSIVE", [source("Eclair", "An attacker may look at channel balances.")]],
    ["INSUFFICIENT_DATA", [source("Weather", "Rain is expected on Sunday.")]],
    ["INSUFFICIENT_DATA", []],
  ])("judges by shared words: %s", async (status, sources) => {
    const result = await analyst.validate(claim, sources, never);
    expect(result.ok && result.value.status).toBe(status);
  });
});

describe("the offline researcher", () => {
  it("invents no source and says it is simulated", async () => {
    const researcher = createOfflineResearcher({ creditPrice: micros(8000) });
    expect(researcher.simulated).toBe(true);
    expect(await researcher.search("anything", never)).toEqual({ ok: true, credits: 1, sources: [] });
  });

  it("gives back a value when it is stopped", async () => {
    const researcher = createOfflineResearcher({ creditPrice: micros(8000) });
    expect(await researcher.search("anything", AbortSignal.abort())).toMatchObject({ ok: false, credits: 0 });
  });
});
