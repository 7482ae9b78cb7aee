import { describe, expect, it } from "vitest";
import { readEntities } from "../../lib/analysis/gemini/entity_text.ts";
import { ANALYSIS_FORM } from "../../lib/analysis/gemini/questions.ts";
import { trimAnswer } from "../../lib/analysis/gemini/trim_answer.ts";
import { ground } from "../../lib/analysis/ground.ts";
import { analysisSchema } from "../../lib/analysis/schema.ts";
import { answerTokens, fixedParts, priceTokens } from "../bench/cost/price_parts.ts";
import { estimateTokens } from "../bench/cost/estimate_tokens.ts";
import { FULLEST_ANSWER, TYPICAL_ANSWER } from "../bench/cost/reference_answers.ts";
import { asWritten } from "../fakes/plausible_analysis.ts";
import { fromFileUrl } from "../../lib/database/paths.ts";

const NOVEMBER_2026 = new Date("2026-11-24T00:00:00Z");
const ARTICLE_OF_THEM = fromFileUrl(
  new URL("../../lib/articles/samples/2026-10-29-jamming-experiment.md", import.meta.url),
);

/** Letters, digits and marks of ordinary prose. */
const ARTICLE =
  "Miners in the northern valley saw the fees for transfers rise on Monday, by 12 percent: nobody knows why. "
    .repeat(60).slice(0, 5_000);

describe("an article of 5,000 characters", () => {
  const fixed = fixedParts(estimateTokens).reduce((sum, { tokens }) => sum + tokens, 0);
  const answers = answerTokens(estimateTokens);
  const input = fixed + Math.max(estimateTokens(ARTICLE), 1_215);

  it.each(["gemini-3.5-flash-lite", "gemini-3.1-flash-lite"])(
    "costs at most $0.0013 all in on %s, by an estimate that is rather too high",
    (model) => {
      expect(priceTokens(model, input, answers.typical, NOVEMBER_2026)).toBeLessThanOrEqual(0.0013);
    },
  );

  it("costs at most that even with the fullest answer on the default model", () => {
    expect(priceTokens("gemini-3.1-flash-lite", input, answers.fullest, NOVEMBER_2026)).toBeLessThan(0.0011);
  });
});

describe("the answers that the price is reckoned with", () => {
  it.each([["typical", TYPICAL_ANSWER], ["fullest", FULLEST_ANSWER]])(
    "are whole: the %s one reads back with every field filled and every quote in its article",
    async (_, answer) => {
      const read = trimAnswer(readEntities(JSON.parse(asWritten(answer))), ANALYSIS_FORM);
      const analysis = analysisSchema.parse(read);
      expect(analysis).toEqual(answer);
      for (const value of Object.values(analysis)) expect([[], ""]).not.toContainEqual(value);
      const body = await Deno.readTextFile(ARTICLE_OF_THEM);
      expect(ground(analysis, { title: "", body }).ungrounded).toBe(0);
    },
  );

  it("keep to what the instruction asks for", () => {
    const words = (text: string) => text.split(/\s+/).length;
    for (const { summary, entities, topics, weak_signals, ...rest } of [TYPICAL_ANSWER, FULLEST_ANSWER]) {
      expect(words(summary)).toBeLessThanOrEqual(30);
      // An answer worth its price is not a telegram either.
      expect(words(summary)).toBeGreaterThan(20);
      expect(entities.length).toBeLessThanOrEqual(4);
      expect(topics.length).toBeLessThanOrEqual(4);
      for (const { description, implications, evidence } of weak_signals) {
        for (const text of [description, implications]) expect(words(text)).toBeLessThanOrEqual(12);
        for (const quote of evidence) expect(words(quote)).toBeLessThanOrEqual(12);
      }
      const lists = [
        rest.pattern_anomalies,
        rest.adjacent_connections,
        rest.narrative_gaps,
        rest.edge_indicators,
      ];
      for (const list of lists) {
        expect(list).toHaveLength(1);
        expect(words(list[0])).toBeLessThanOrEqual(8);
      }
    }
  });
});

describe("entities that the model writes as texts", () => {
  const read = (...entities: unknown[]) => readEntities({ entities });

  it("become a name and a type", () => {
    expect(read("Bitcoin Core (PROJECT)", "Lightning (LN) (PROTOCOL)", "  Riga(place) ")).toEqual({
      entities: [
        { name: "Bitcoin Core", type: "PROJECT" },
        { name: "Lightning (LN)", type: "PROTOCOL" },
        { name: "  Riga", type: "PLACE" },
      ],
    });
  });

  it("are OTHER with a type that is none of ours, or without one", () => {
    expect(read("Acme (COMPANY)", "Nobody", "(PERSON)")).toEqual({
      entities: [
        { name: "Acme", type: "OTHER" },
        { name: "Nobody", type: "OTHER" },
        { name: "(PERSON)", type: "OTHER" },
      ],
    });
  });

  it("stay as they are when they are no texts, and an answer that is none too: the check tells", () => {
    const entity = { name: "Bitcoin", type: "ASSET" };
    expect(read(entity, 7, null)).toEqual({ entities: [entity, 7, null] });
    for (const odd of [null, 7, "text", [], {}, { entities: "all" }]) expect(readEntities(odd)).toEqual(odd);
  });

  it("are read in a moment however they are written", () => {
    for (
      const odd of [
        "(".repeat(200_000),
        "a ".repeat(200_000) + "(",
        ") ".repeat(200_000),
        " ".repeat(200_000),
      ]
    ) {
      const began = performance.now();
      read(odd);
      expect(performance.now() - began).toBeLessThan(1_000);
    }
  });
});
