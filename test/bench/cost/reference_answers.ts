/**
 * Answers as a model gives them to the present instruction, written by hand: what comes out is most of the price, and
 * nobody can be asked without a key. They are about a bundled sample (2026-10-29-jamming-experiment), so that their
 * quotes can be checked.
 */
import type { Analysis } from "../../../lib/analysis/schema.ts";

const SIGNALS: Analysis["weak_signals"] = [
  {
    type: "protocol",
    description: "Two implementations discussed a shared feature bit for the first time.",
    confidence: 0.6,
    implications: "Attempt fees may enter the Lightning specification within a year.",
    evidence: ["discussed a shared feature bit for the first time"],
    timeframe: "MEDIUM_TERM",
  },
  {
    type: "privacy",
    description: "Attempt fees make probing costly; a wallet expects to probe less.",
    confidence: 0.5,
    implications: "Fewer probes hide balances better but make routes less reliable.",
    evidence: ["its own probing would run to 90,000 sats a month"],
    timeframe: "LONG_TERM",
  },
];

/** Every field filled; one signal. */
export const TYPICAL_ANSWER: Analysis = {
  sentiment: "POSITIVE",
  impact_score: 0.5,
  summary:
    "A ten-week mainnet trial finds that attempt fees and local reputation stop channel jamming almost for free. " +
    "New nodes fared badly and patient attackers went untested.",
  context: "Channel jamming has been a known, free attack on Lightning for a decade.",
  topics: ["lightning", "channel jamming", "routing fees", "reputation"],
  entities: [
    { name: "Lightning", type: "PROTOCOL" },
    { name: "Casimir Oduya", type: "PERSON" },
    { name: "Priya Halloran", type: "PERSON" },
    { name: "Lumenquay", type: "ORGANIZATION" },
  ],
  weak_signals: SIGNALS.slice(0, 1),
  pattern_anomalies: ["Defences against jamming cost honest users almost nothing."],
  adjacent_connections: ["Reputation that favours incumbents echoes email filtering."],
  narrative_gaps: ["Nobody tested attackers who build good standing first."],
  edge_indicators: ["New nodes waited nine days for good standing."],
  signal_strength: 0.6,
  uniqueness_score: 0.5,
  confidence: 0.6,
};

/** As much as the instruction lets a model say. */
export const FULLEST_ANSWER: Analysis = { ...TYPICAL_ANSWER, weak_signals: SIGNALS };
