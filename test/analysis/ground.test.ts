import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldText, ground } from "../../lib/analysis/ground.ts";
import type { Analysis } from "../../lib/analysis/schema.ts";

const ARTICLE = {
  title: "A bank and its bitcoin",
  body: "The bank “will not\n  fork” its node, said\u00a0Zoë.\n\nFees fell by 12%… and rose again.",
};

function analysisQuoting(...quotes: string[][]): Analysis {
  return {
    sentiment: "NEUTRAL",
    impact_score: 0,
    summary: "s",
    context: "",
    topics: [],
    entities: [],
    weak_signals: quotes.map((evidence) => ({
      type: "market",
      description: "d",
      confidence: 0.8,
      implications: "i",
      evidence,
      timeframe: "SHORT_TERM",
    })),
    pattern_anomalies: [],
    adjacent_connections: [],
    narrative_gaps: [],
    edge_indicators: [],
    signal_strength: 0,
    uniqueness_score: 0,
    confidence: 0,
  };
}

function keptOf(quote: string, article = ARTICLE): string | undefined {
  return ground(analysisQuoting([quote]), article).analysis.weak_signals[0].evidence[0];
}

describe("grounding", () => {
  it("keeps a quote across line breaks and odd spaces, folded", () => {
    expect(keptOf("“will not fork” its\tnode, said Zoë.")).toBe("“will not fork” its node, said Zoë.");
  });

  it("keeps a quote from the title", () => {
    expect(keptOf("its bitcoin")).toBe("its bitcoin");
  });

  it("takes both Unicode forms of a letter for the same", () => {
    expect(keptOf("said Zoe\u0308.")).toBe("said Zoë.");
    expect(keptOf("Zoë", { title: "", body: "by Zoe\u0308" })).toBe("Zoë");
  });

  it("strips one pair of quotation marks around the whole, no more", () => {
    expect(keptOf('"Fees fell by 12%"')).toBe("Fees fell by 12%");
    expect(keptOf("«Fees fell»")).toBe("Fees fell");
    expect(keptOf('""Fees fell""')).toBeUndefined();
    expect(keptOf('"Fees fell')).toBeUndefined();
  });

  it("keeps quotation marks that stand in the article", () => {
    expect(keptOf("“will not fork”")).toBe("“will not fork”");
  });

  it.each([
    ["another word", "will now fork"],
    ["another case", "fees fell"],
    ["words left out", "The bank will not fork"],
    ["an ellipsis the article lacks", "The bank…"],
    ["half a word", "The ban"],
    ["half a number", "1"],
    ["text across title and body", "bitcoin The bank"],
    ["only quotation marks", '""'],
    ["white space only", "  "],
  ])("drops a quote with %s", (_what, quote) => {
    expect(keptOf(quote)).toBeUndefined();
  });

  it("keeps part of a sentence in a script without spaces", () => {
    expect(keptOf("去中心化的货币", { title: "", body: "比特币是一种去中心化的货币吗" })).toBe(
      "去中心化的货币",
    );
  });

  it("keeps a whole word that also stands inside another one earlier", () => {
    expect(keptOf("ban", { title: "", body: "A bank met a ban." })).toBe("ban");
  });

  it("counts what it drops and halves the confidence of a signal that lost every quote", () => {
    const { analysis, ungrounded } = ground(
      analysisQuoting(["Fees fell", "made up"], ["made up", "also made up"], []),
      ARTICLE,
    );
    expect(ungrounded).toBe(3);
    expect(analysis.weak_signals.map(({ evidence }) => evidence)).toEqual([["Fees fell"], [], []]);
    expect(analysis.weak_signals.map(({ confidence }) => confidence)).toEqual([0.8, 0.4, 0.8]);
  });

  it("leaves what it was given as it was, and changes nothing the second time", () => {
    const given = analysisQuoting(["made up"], ["Fees fell"]);
    const before = structuredClone(given);
    const once = ground(given, ARTICLE);
    expect(given).toEqual(before);
    expect(ground(once.analysis, ARTICLE)).toEqual({ analysis: once.analysis, ungrounded: 0 });
  });

  it("never throws, and what it keeps stands in the folded article, for any text", () => {
    const text = fc.string({ unit: "binary", maxLength: 60 });
    fc.assert(fc.property(text, text, text, fc.nat(60), fc.nat(60), (title, body, other, from, to) => {
      const quotes = [other, body.slice(from, to), title];
      const { analysis, ungrounded } = ground(analysisQuoting(quotes), { title, body });
      const { evidence } = analysis.weak_signals[0];
      expect(evidence.length + ungrounded).toBe(quotes.length);
      for (const quote of evidence) {
        expect(foldText(body).includes(quote) || foldText(title).includes(quote)).toBe(true);
      }
    }));
  });
});
