/** Words that carry signals, by kind, and words that say how new or how sure a thing is. */

import { createPhraseTable, type PhraseTable } from "./phrases.ts";

/** What kind of signal a cue speaks of. The order settles ties: the graver kind first. */
export const SIGNAL_KINDS = [
  "security",
  "regulation",
  "protocol",
  "privacy",
  "mining",
  "infrastructure",
  "market",
  "adoption",
] as const;
export type SignalKind = (typeof SIGNAL_KINDS)[number];

/** Lemmas; a leading "!" marks a strong cue, worth twice a weak one. */
const CUES: Readonly<Record<SignalKind, string>> = {
  security:
    "!vulnerability, !vulnerable, !exploit, !cve, !attack, attacker, !loss of fund, !lose fund, !denial of service, dos, !disclose, disclosure, responsible disclosure, patch, !backdoor, !malware, !phishing, !breach, !hack, hacker, !stolen, !steal, !theft, bug, crash, leak, !double spend, compromise, malicious, mitigation, weakness",
  regulation:
    "!regulator, !regulation, regulatory, !ban, license, !lawsuit, !sanction, !legislation, law, bill, court, judge, !sec, !kyc, !aml, compliance, tax, prosecutor, senate, congress, enforcement, policy maker, !legal tender, arrest, subpoena",
  protocol:
    "!soft fork, !hard fork, !draft bip, bip, bolt, proposal, propose, !covenant, opcode, !activation, specification, consensus, !new opcode, !signaling, anyprevout, standardize, draft, !protocol change, upgrade path, mailing list",
  privacy:
    "!deanonymize, !surveillance, !coinjoin, !payjoin, !silent payment, privacy, anonymity, !chain analysis, fingerprint, linkability, probe, spy",
  mining:
    "!hashrate, !hash rate, !difficulty, !mining pool, miner, mining, !asic, block template, !stratum, !selfish mining, block subsidy, pool",
  infrastructure:
    "!outage, !congestion, mempool, relay, eclipse, !partition, centralization, centralize, bandwidth, reliability, !channel jamming, stuck, downtime, replacement, pinning, capacity",
  market:
    "!etf, !inflow, !outflow, price, rally, !liquidation, volume, volatility, treasury, !halving, premium, supply, investor, acquire, acquisition, funding",
  adoption:
    "!launch, !adopt, adoption, !merchant, customer, support, integrate, integration, rollout, deploy, release, available, accept, announce, partnership, user",
};

export interface Cue {
  kind: SignalKind;
  /** 2 strong, 1 weak. */
  weight: number;
}

export const CUE_PHRASES: PhraseTable<Cue> = createPhraseTable(
  new Map(
    SIGNAL_KINDS.toReversed().flatMap((kind) =>
      CUES[kind].split(", ").map((written): [string, Cue] => {
        const phrase = written.replace(/^!/, "");
        return [phrase, { kind, weight: written === phrase ? 1 : 2 }];
      })
    ),
  ),
);

/** How much a kind of news usually matters to a reader of Bitcoin news; an editorial choice, 0..1. */
export const GRAVITY: Readonly<Record<SignalKind, number>> = {
  security: 1,
  regulation: 0.9,
  protocol: 0.85,
  privacy: 0.75,
  mining: 0.75,
  infrastructure: 0.7,
  market: 0.7,
  adoption: 0.6,
};

export type Tone = "novel" | "hedged" | "vague" | "sudden";

const TONES: Readonly<Record<Tone, string>> = {
  novel:
    "first, new, novel, experimental, experiment, prototype, proof of concept, research, early, emerge, unusual, unexpected, quietly, rare, previously unknown, never before, alpha, beta, signet, testnet, demonstrate, invent, idea",
  hedged:
    "propose, consider, may, might, could, possible, possibly, potential, potentially, plan, expect, suggest, explore, likely, discuss",
  vague:
    "reportedly, allegedly, rumor, rumour, some say, many believe, it be say, source say, expert say, expert believe, critic, unclear, remain to be see, unknown, uncertain, unverified, yet to",
  sudden:
    "double, triple, surge, plunge, soar, spike, collapse, record, unprecedented, skyrocket, sharply, suddenly, halve, all time, drop, jump, tenfold",
};

export const TONE_PHRASES: PhraseTable<Tone> = createPhraseTable(
  new Map(
    Object.entries(TONES).flatMap(([tone, phrases]) =>
      phrases.split(", ").map((phrase): [string, Tone] => [phrase, tone as Tone])
    ),
  ),
);

/** What a rule may say a signal could mean; a template, and worded as one. {name} is the entity nearest to it. */
export const IMPLICATIONS: Readonly<Record<SignalKind, readonly [plain: string, novel: string]>> = {
  security: [
    "users of {name} may need to update or check exposure",
    "a new class of risk for {name} is possible",
  ],
  regulation: ["rules for {name} may tighten or clear up", "a new legal stance on {name} may be forming"],
  protocol: [
    "work on {name} continues; watch for review and code",
    "{name} may change if this finds support",
  ],
  privacy: [
    "what observers learn from {name} may change",
    "a new privacy trade-off around {name} is possible",
  ],
  mining: ["miner incentives around {name} may shift", "an early change in mining around {name} is possible"],
  infrastructure: [
    "running {name} may get harder or safer",
    "a change in how {name} is operated may start here",
  ],
  market: ["demand around {name} may be moving", "an early move around {name} is possible"],
  adoption: ["{name} may gain users or tooling", "{name} may be at the start of wider use"],
};
