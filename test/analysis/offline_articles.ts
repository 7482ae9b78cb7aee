/** Articles written for the tests, each with something for the rules to find. */
import type { ArticleText } from "../../lib/analysis/port.ts";

function article(id: number, title: string, paragraphs: string[]): ArticleText {
  return {
    id,
    title,
    body: paragraphs.join("\n\n"),
    source: "test",
    url: null,
    publishedAt: new Date("2026-02-03T00:00:00Z"),
  };
}

export const SECURITY_ARTICLE = article(1, "Eclair fixes a theft of channel funds", [
  "Researcher Mara Vidal disclosed a vulnerability in older versions of Eclair that let an attacker steal funds from a Lightning channel. The attack needs a peer that closes the channel with an old state while the victim's node is offline.",
  "ACINQ released a patch within a week and asked every operator to upgrade now. The problem is tracked as CVE-2026-10442, and no theft is known so far.",
  "Core Lightning and LND check the same state in another way and are not affected, their maintainers wrote. Vidal will publish a full report next month.",
  "Who else knew of the bug remains unclear. Was it used before the fix?",
]);

export const REGULATION_ARTICLE = article(2, "Parliament debates licences for custodians", [
  "A committee of the parliament in Norway passed a draft law that would require a license for every company that keeps bitcoin for its customers. The regulator may sanction companies that fail to report large withdrawals.",
  "Lawmakers from two parties reportedly want to ban the mining of bitcoin with hydropower as well, since the price of electricity doubled in the north. Energy companies objected to the ban in court.",
  "The law could take effect in 2029. Self custody wallets are exempt from the legislation, the ministry said.",
]);

export const PROTOCOL_ARTICLE = article(3, "A covenant opcode on signet", [
  "Developer Anthony Towns proposed a soft fork that adds a new opcode for covenants, described in a draft of BIP 999. An experimental prototype runs on signet for the first time.",
  "The proposal lets a wallet limit where coins go next, which makes vaults simpler. Tests show that a vault transaction is 38% smaller than one with presigned transactions.",
  "Gregory Maxwell asked on the mailing list how nodes would relay such transactions through the mempool. Towns replied that package relay solves most of it.",
]);

export const CALM_ARTICLE = article(4, "Notes from a meetup", [
  "The meetup took place in a library near the river. About thirty people came, most of them for the second time.",
  "There were two talks about maps and one about the history of the city. Afterwards everyone walked to the station together.",
]);

export const GERMAN_ARTICLE = article(5, "Neues aus dem Rechenzentrum", [
  "Die Betreiber des Rechenzentrums haben am Montag mitgeteilt, dass sie ihre Maschinen künftig mit Abwärme betreiben wollen. Der Bürgermeister begrüßte den Schritt und dankte allen Beteiligten.",
  "Die Anlage soll im kommenden Jahr fertig werden. Danach beginnt die zweite Bauphase, für die noch Genehmigungen fehlen.",
]);

export const ALL_ARTICLES = [
  SECURITY_ARTICLE,
  REGULATION_ARTICLE,
  PROTOCOL_ARTICLE,
  CALM_ARTICLE,
  GERMAN_ARTICLE,
];
