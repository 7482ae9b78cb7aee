/** A plausible analysis made from an article's own words, so that its evidence really stands there. */
import type { Analysis } from "../../lib/analysis/schema.ts";

/** An analysis as the model is asked to write it: on one line, entities as texts. */
export function asWritten(analysis: Analysis): string {
  const entities = analysis.entities.map(({ name, type }) => `${name} (${type})`);
  return JSON.stringify({ ...analysis, entities });
}

/** The same article always gets the same analysis. */
export function writePlausibleAnalysis(title: string, body: string): Analysis {
  // Only the opening is looked at: the fake must cost less than what is measured against it.
  const opening = body.slice(0, 300).trim();
  const first = /^[^.!?]*[.!?]/.exec(opening)?.[0] ?? opening;
  const quote = first.split(/\s+/).slice(0, 25).join(" ");
  const seed = [...title].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1000, 7);
  const share = (offset: number) => ((seed + offset * 137) % 81 + 10) / 100;
  return {
    sentiment: (["POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED"] as const)[seed % 4]!,
    impact_score: share(1),
    summary: `${title.trim() || "The article"} is covered with its main developments. It opens with: ${first}`
      .slice(0, 600),
    context: "Part of the regular coverage of Bitcoin's technical and market development.",
    topics: ["bitcoin", "newsletter", ...(/lightning/i.test(body) ? ["lightning"] : []), "markets"],
    entities: [{ name: "Bitcoin", type: "ASSET" }, { name: "Bitcoin Core", type: "PROJECT" }],
    weak_signals: [{
      type: "adoption",
      description: "A detail mentioned in passing points to a change that is not yet discussed widely.",
      confidence: share(2),
      implications: "If it holds, later coverage should return to it with figures.",
      evidence: quote === "" ? [] : [quote],
      timeframe: "MEDIUM_TERM",
    }],
    pattern_anomalies: ["More detail on procedure than such articles usually give."],
    adjacent_connections: ["Touches on regulation of payment services."],
    narrative_gaps: ["The costs for small operators are not named."],
    edge_indicators: [],
    signal_strength: share(3),
    uniqueness_score: share(4),
    confidence: share(5),
  };
}
