/**
 * Puts an analysis together at a readable size. The parts are offered in the order a reader would miss them, and a
 * part that would grow the answer past its size is left out: an analysis fits a phone screen, and its simulated
 * tokens stay near those of a terse model's answer.
 */
import type { Analysis } from "../schema.ts";
import { clipText, plainLine } from "./clip.ts";
import { findEntities, type FoundEntity } from "./entities.ts";
import { type Observations, observe } from "./observations.ts";
import { rankSentences } from "./rank.ts";
import type { Reading } from "./reader.ts";
import { scoreArticle } from "./scores.ts";
import { readSentiment } from "./sentiment.ts";
import { findSignals } from "./signals.ts";
import { summarise } from "./summary.ts";
import { readTopics } from "./topics.ts";

/** Characters of JSON; at most 370 tokens. */
const MAX_ANALYSIS_CHARS = 1480;
const LIMITS = { summaryChars: 320, contextChars: 160, evidenceChars: 150, entities: 8, firstEntities: 4 };

/** Draws every conclusion from a reading. `year` is the year of publication, null when unknown. */
export function composeAnalysis(reading: Reading, year: number | null): Analysis {
  const ranked = rankSentences(reading);
  const entities = findEntities(reading);
  const topics = readTopics(reading);
  const signals = findSignals(ranked, entities, { evidenceChars: LIMITS.evidenceChars, year });
  const observations = observe(ranked, topics);
  const { summary, context } = summarise(ranked, LIMITS);
  const observed = Object.values(observations).reduce((sum, lines) => sum + lines.length, 0);

  const draft = new Draft({
    sentiment: readSentiment(reading),
    summary: plainLine(summary) || clipText(plainLine(reading.title), LIMITS.summaryChars) ||
      "(no readable sentence)",
    context: "",
    topics: topics.labels.map(plainLine).filter(Boolean),
    entities: entities.slice(0, LIMITS.firstEntities).map(toEntity),
    weak_signals: [],
    pattern_anomalies: [],
    adjacent_connections: [],
    narrative_gaps: [],
    edge_indicators: [],
    ...scoreArticle(reading, entities, signals, observed),
  });
  const [first, second, third] = signals.signals.map(({ signal }) => signal);
  if (first) draft.offer({ weak_signals: [first] });
  const firsts = firstLines(observations);
  if (second) draft.offer({ weak_signals: [...draft.analysis.weak_signals, second] });
  for (const part of firsts.slice(0, 1)) draft.offer(part);
  draft.offer({ context: plainLine(context) });
  for (const part of firsts.slice(1)) draft.offer(part);
  for (let count = LIMITS.firstEntities + 1; count <= Math.min(LIMITS.entities, entities.length); count++) {
    draft.offer({ entities: entities.slice(0, count).map(toEntity) });
  }
  if (third) draft.offer({ weak_signals: [...draft.analysis.weak_signals, third] });
  return draft.analysis;
}

class Draft {
  constructor(public analysis: Analysis) {}

  /** Takes the part if the whole stays within its size. */
  offer(part: Partial<Analysis>): void {
    const grown = { ...this.analysis, ...part };
    if (JSON.stringify(grown).length <= MAX_ANALYSIS_CHARS) this.analysis = grown;
  }
}

/** The first line of each kind of observation, the most telling kind first. */
function firstLines(observations: Observations): Partial<Analysis>[] {
  const kinds = ["pattern_anomalies", "edge_indicators", "narrative_gaps", "adjacent_connections"] as const;
  return kinds.flatMap((kind) => {
    const line = plainLine(observations[kind][0] ?? "");
    return line === "" ? [] : [{ [kind]: [line] }];
  });
}

function toEntity({ name, type }: FoundEntity): Analysis["entities"][number] {
  return { name, type };
}
