/**
 * Topics of the Bitcoin world and the lemmas that speak of each. `field` groups topics that commonly go together;
 * two fields in one passage are a connection worth a look. A leading "!" marks a phrase that settles the topic alone.
 */
import { createPhraseTable, type PhraseTable } from "./phrases.ts";

export interface Topic {
  label: string;
  field: string;
}

const LEXICON: readonly (readonly [label: string, field: string, phrases: string])[] = [
  [
    "lightning network",
    "lightning",
    "!lightning network, lightning, !ln, !lnd, !eclair, !ldk, !core lightning, !bolt, !htlc, !ptlc, !multipath payment, !keysend, payment channel, channel factory, routing node, onion message, !bolt11, !bolt12, trampoline, !watchtower, !splicing, splice, dual funding, anchor output, channel jamming, !c-lightning, invoice, lightning dev, gossip",
  ],
  [
    "soft forks",
    "protocol",
    "!soft fork, softfork, activation, !covenant, !op_checktemplateverify, !ctv, !op_cat, !sighash_anyprevout, !anyprevout, !bip, speedy trial, hard fork, opcode, !tapscript, signal readiness, consensus change, consensus rule, !eltoo, consensus cleanup",
  ],
  [
    "taproot and schnorr",
    "protocol",
    "!taproot, !schnorr, schnorr signature, !musig, !musig2, !frost, !tapscript, !tapleaf, adaptor signature, threshold signature, !bech32m, keypath, script path",
  ],
  [
    "mining",
    "mining",
    "!miner, mining, !mining pool, !hashrate, hash rate, !hash power, !asic, !stratum, block template, difficulty adjustment, selfish mining, !proof of work, coinbase transaction, block reward, block subsidy, halving",
  ],
  [
    "security",
    "security",
    "!vulnerability, vulnerable, !exploit, attack, attacker, !cve, !denial of service, dos, responsible disclosure, !malware, phishing, hack, hacker, !loss of fund, theft, steal, backdoor, double spend, side channel, !fuzz, security",
  ],
  [
    "privacy",
    "privacy",
    "privacy, private, !coinjoin, !payjoin, !silent payment, !deanonymize, anonymity, surveillance, chain analysis, !coinswap, blinded path, !tor, fingerprint, address reuse, mixer",
  ],
  [
    "mempool and fees",
    "node",
    "!mempool, fee, feerate, !fee estimation, !replace by fee, !rbf, !cpfp, !package relay, !cluster mempool, transaction relay, !pin, !pinning, !ephemeral anchor, truc, fee bumping, !dust, congestion, minrelaytxfee",
  ],
  [
    "node software",
    "node",
    "!bitcoin core, full node, !initial block download, !ibd, !assumeutxo, !utreexo, compact block, block filter, !pruned, p2p network, peer, rpc, !btcd, !libbitcoin, !erlay, wallet rpc, release candidate",
  ],
  [
    "wallets",
    "custody",
    "!wallet, !psbt, !descriptor, output descriptor, !hardware wallet, seed phrase, !hwi, coin selection, watch only, !miniscript, private key, !signing device, xpub, backup",
  ],
  [
    "custody and multisig",
    "custody",
    "!multisig, !multisignature, !custody, custodian, custodial, self custody, !vault, cold storage, key management, proof of reserve",
  ],
  [
    "regulation",
    "regulation",
    "!regulation, !regulator, regulatory, !sec, law, lawmaker, !legislation, lawsuit, court, judge, license, ban, !sanction, !kyc, !aml, compliance, tax, senate, congress, prosecutor, central bank, !mica, policy maker, enforcement",
  ],
  [
    "markets",
    "markets",
    "price, !etf, trader, trading, investor, !inflow, !outflow, rally, market, volatility, liquidation, derivative, futures, !bull market, !bear market, hedge fund, treasury company, balance sheet, exchange",
  ],
  [
    "adoption and payments",
    "adoption",
    "merchant, adoption, remittance, payment, point of sale, !legal tender, retailer, checkout, unbanked, payment processor, merchant adoption, customer, !batching, business",
  ],
  [
    "scaling and sidechains",
    "scaling",
    "!sidechain, !rollup, !liquid, layer 2, layer two, !statechain, !ark, !drivechain, zero knowledge, !zk, throughput, scaling, scalability, !segwit, block size, !client side validation, !rgb, !taproot asset",
  ],
  ["ecash", "scaling", "!ecash, !cashu, !fedimint, !chaumian, mint, federation, guardian, blind signature"],
  [
    "inscriptions and tokens",
    "inscriptions",
    "!ordinal, !inscription, !rune, !brc-20, !nft, !stablecoin, !tether, usdt, usdc, token, !op_return, data carrier, spam",
  ],
  [
    "cryptography",
    "cryptography",
    "!quantum, post quantum, !elliptic curve, secp256k1, libsecp256k1, ecdsa, hash function, nonce, zero knowledge proof, signature scheme, cryptography, cryptographer, randomness",
  ],
  [
    "energy",
    "energy",
    "energy, electricity, !power grid, renewable, !carbon, emission, methane, megawatt, stranded gas, power plant",
  ],
];

/** Phrase -> the topics it speaks of, each with a weight: 1 for a hint, 2 for a phrase that settles it. */
export const TOPIC_PHRASES: PhraseTable<readonly { topic: Topic; weight: number }[]> = createPhraseTable(
  indexPhrases(),
);

function indexPhrases(): Map<string, { topic: Topic; weight: number }[]> {
  const index = new Map<string, { topic: Topic; weight: number }[]>();
  for (const [label, field, phrases] of LEXICON) {
    const topic = { label, field };
    for (const written of phrases.split(", ")) {
      const phrase = written.replace(/^!/, "");
      const entry = { topic, weight: written === phrase ? 1 : 2 };
      index.set(phrase, [...(index.get(phrase) ?? []), entry]);
    }
  }
  return index;
}
