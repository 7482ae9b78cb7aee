/**
 * The shape of an analysis (DESIGN 5), checked for every analyst alike. A model's answer is untrusted input:
 * what does not parse is not stored. Limits keep one verbose answer from filling a phone screen or the table.
 */
import { z } from "zod";

const share = z.number().min(0).max(1);
const line = z.string().trim().min(1).max(600);

export const SENTIMENTS = ["POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED"] as const;
export const TIMEFRAMES = ["IMMEDIATE", "SHORT_TERM", "MEDIUM_TERM", "LONG_TERM"] as const;
export const ENTITY_TYPES = [
  "PERSON",
  "ORGANIZATION",
  "PROJECT",
  "PROTOCOL",
  "PLACE",
  "ASSET",
  "OTHER",
] as const;

export const entitySchema = z.object({ name: z.string().trim().min(1).max(120), type: z.enum(ENTITY_TYPES) });

export const weakSignalSchema = z.object({
  /** Short kind of signal, for example "adoption", "regulation", "security", "protocol". */
  type: z.string().trim().min(1).max(60),
  description: line,
  confidence: share,
  implications: line,
  /** Quotes that must stand word for word in the article; `ground` drops those that do not. */
  evidence: z.array(z.string().trim().min(1).max(600)).max(5),
  timeframe: z.enum(TIMEFRAMES),
});

export const analysisSchema = z.object({
  sentiment: z.enum(SENTIMENTS),
  impact_score: share,
  summary: z.string().trim().min(1).max(2000),
  context: z.string().trim().max(2000),
  topics: z.array(z.string().trim().min(1).max(80)).max(12),
  entities: z.array(entitySchema).max(20),
  weak_signals: z.array(weakSignalSchema).max(6),
  pattern_anomalies: z.array(line).max(5),
  adjacent_connections: z.array(line).max(5),
  narrative_gaps: z.array(line).max(5),
  edge_indicators: z.array(line).max(5),
  signal_strength: share,
  uniqueness_score: share,
  confidence: share,
});

export type Analysis = z.infer<typeof analysisSchema>;
export type WeakSignal = z.infer<typeof weakSignalSchema>;
export type Entity = z.infer<typeof entitySchema>;

export const RESEARCH_STATUSES = [
  "VALIDATED",
  "CONTRADICTED",
  "INCONCLUSIVE",
  "INSUFFICIENT_DATA",
  "NOT_RUN",
] as const;
export type ResearchStatus = (typeof RESEARCH_STATUSES)[number];

export interface Source {
  title: string;
  url: string;
  published_at: string | null;
  /** The search engine's relevance, 0..1. */
  score: number | null;
  excerpt: string;
}

/** What research added to an analysis. `reason` says why it was not run, or the validator's one-line verdict. */
export interface Research {
  status: ResearchStatus;
  reason: string | null;
  queries: string[];
  sources: Source[];
}

/** The validator's answer over the found sources. */
export const verdictSchema = z.object({
  status: z.enum(["VALIDATED", "CONTRADICTED", "INCONCLUSIVE", "INSUFFICIENT_DATA"]),
  reason: line,
});
export type Verdict = z.infer<typeof verdictSchema>;
