/** Well-known names of the Bitcoin world with their types, and words that tell what kind of name one is. */
import type { Entity } from "../schema.ts";

type EntityType = Entity["type"];

const NAMES: Readonly<Partial<Record<EntityType, string>>> = {
  PROJECT:
    "Bitcoin Core, LND, Core Lightning, C-Lightning, Eclair, LDK, Rust-Lightning, BDK, BTCPay Server, BTCPay, libsecp256k1, HWI, Electrum, Sparrow, Sparrow Wallet, Wasabi, Wasabi Wallet, Samourai, Samourai Wallet, JoinMarket, Specter, Specter Desktop, Bitcoin Knots, btcd, Libbitcoin, Utreexo, Floresta, Cashu, Fedimint, Liquid, Phoenix, Breez, Muun, Zeus, Mutiny, Umbrel, RaspiBlitz, Start9, mempool.space, Bisq, RoboSats, Nostr, Ordinals, Liana, Nunchuk, BlueWallet, Green Wallet, Trezor, Coldcard, Jade, BitBox, Bitaxe, Braiins OS, Fulcrum, Electrs, Rust Bitcoin, Bitcoin Inquisition, Elements, Simplicity, Miniscript, LNbits, Alby, Boltz, Ark, Stacks, Rootstock, RGB, Peerswap, Ocean, Public Pool, BitVM, Citrea",
  PROTOCOL:
    "Lightning Network, Lightning, Taproot, SegWit, Schnorr, MuSig, MuSig2, FROST, PSBT, Stratum, Stratum V2, Erlay, Tor, DLC, Simplified Payment Verification, Eltoo, LN-Symmetry, Payjoin, Coinjoin, Coinswap, Silent Payments, Tapscript, Replace-by-Fee, HTLC, PTLC, Bech32, Bech32m, AssumeUTXO, Great Consensus Cleanup",
  ORGANIZATION:
    "Bitcoin Optech, Blockstream, Lightning Labs, ACINQ, Chaincode Labs, Spiral, Brink, Block, Square, Coinbase, Binance, Kraken, Bitstamp, Bitfinex, BitMEX, Gemini, River, Strike, Swan, Unchained, Casa, Ledger, MicroStrategy, Strategy, BlackRock, Fidelity, Grayscale, Tesla, PayPal, Visa, Mastercard, MIT DCI, OpenSats, Human Rights Foundation, Bitmain, Foundry, Foundry USA, AntPool, F2Pool, ViaBTC, Marathon, Riot, CleanSpark, Hut 8, Luxor, Braiins, SEC, CFTC, Federal Reserve, European Central Bank, FATF, Chainalysis, FTX, Mt. Gox, Celsius, Tether, Circle, IMF, World Bank, European Union, US Treasury, OFAC, Bitwise, Ark Invest, Galaxy, NYDIG, Cash App, Bitrefill, Suredbits, Xapo, BTSE, Crypto Garage, Bull Bitcoin, Lightspark, Voltage, Amboss, Wallet of Satoshi, OpenNode, Bitnodes, Google, Apple, Microsoft, Amazon, GitHub, Twitter",
  ASSET: "Bitcoin, BTC, Ether, Ethereum, ETH, USDT, USDC, Litecoin, L-BTC, Monero, Solana, US dollar, gold",
  PLACE:
    "El Salvador, United States, USA, China, Russia, India, Brazil, Argentina, Nigeria, Kenya, Germany, France, Switzerland, Japan, Hong Kong, Singapore, Dubai, United Kingdom, London, Europe, Africa, Asia, Texas, New York, Canada, Kazakhstan, Paraguay, Bhutan, Turkey, Venezuela, Norway, Iceland, Australia, South Korea, Lugano, Prague, Wyoming, Central African Republic, Zurich, Amsterdam, Berlin, Paris, Tokyo, Washington, California",
  PERSON:
    "Satoshi Nakamoto, Pieter Wuille, Gregory Maxwell, Greg Maxwell, Andrew Poelstra, Anthony Towns, AJ Towns, Matt Corallo, Rusty Russell, Jeremy Rubin, Antoine Riard, Bastien Teinturier, Gloria Zhao, Russell O'Connor, Ruben Somsen, David Harding, Adam Back, Hal Finney, Michael Saylor, Jack Dorsey, Nayib Bukele, Gary Gensler, ZmnSCPxj, Murch, Luke Dashjr, Peter Todd, Olaoluwa Osuntokun, Jonas Nick, Tim Ruffing, Ava Chow, Andrew Chow, Christian Decker, Joost Jager, Tadge Dryja, Sergi Delgado, Salvatore Ingala, Sanket Kanjalkar, Wladimir van der Laan",
};

/** Lower case name -> how it is written and what it is. */
export const GAZETTEER: ReadonlyMap<string, Entity> = new Map(
  Object.entries(NAMES).flatMap(([type, names]) =>
    names.split(", ").map((
      name,
    ): [string, Entity] => [name.toLowerCase(), { name, type: type as EntityType }])
  ),
);

export const ORGANISATION_WORDS =
  /^(?:inc|ltd|llc|corp|gmbh|labs?|foundation|exchange|bank|commission|university|institute|group|association|company|capital|ventures|research|council|agency|ministry|court|senate|congress|department|authority|committee|alliance|fund)$/i;

export const PROJECT_WORDS = /^(?:wallet|server|protocol|core|node|os|app|pool|project|client|library)$/i;

/** Verbs people do and software does not, and roles that stand before a name. */
export const SPEECH_VERBS = new Set(
  "say tell propose suggest argue write explain note reply ask announce post describe believe warn respond claim think agree disagree publish present comment mention add report recommend question start describe"
    .split(" "),
);
export const ROLES =
  /^(?:developer|developers|author|researcher|contributor|maintainer|ceo|cto|founder|engineer|president|professor|senator|analyst|by|pseudonymous|mr|mrs|ms|dr)\.?$/i;

/** Common given names; enough to tell "David Smith" from "Hardware Wallet". */
export const GIVEN_NAMES = new Set(
  "aaron adam adrian alan alejandro alekos alex alexander alice andreas andrew andy anna anthony antoine anton arik armin austin ava barry bastien ben benjamin bob brandon brian bruno bryan calle carl carla carlos caroline charles chris christian christopher clara claire cory craig dan daniel dave david dario diana diego dmitry dominik donald elaine elena elizabeth elle emil emma eric erik eugene fabian felipe felix ferdinando francis frank gabriel gary george gianluca giacomo gleb gloria greg gregory guido hal hannah hugo ian igor ivan jack jacob jake james jameson jan janet jason jay jeff jennifer jeremy jerome jesse jim jimmy joe johan johannes john jon jonas jonathan jorge jose joseph josh joshua juan julia julian justin karen karl kate keagan keith kevin kim kyle larry laura laolu lawrence lee leo leonardo linda lisa lloyd louis luca lucas luis luke marc marco marcin marek maria marie mark markus martin mary mathieu matt matthew max maxim michael michelle miguel mike mikhail mitchell murray nadav natalia nathan nick nicolas nigel niklas oliver olivier omar oscar otto pablo patrick paul pavel pedro peter phil philip philipp pierre pieter rachel ralph raymond rene richard rick riccardo rob robert robin rodolfo roger roman ron ross ruben rusty ryan sam samuel sandra sanket sara sarah satoshi scott sean sebastian sergei sergi sergio shinobi simon sjors sofia stefan stephan stephen steve steven stepan sunny suhas susan tadge tariq ted thomas tim tobin todd tom tomas tony tyler valentine vasil victor viktor vincent vitalik vojtech walter warren wei will william wladimir yuval zach zachary"
    .split(" "),
);

/** Capitalised for other reasons than being a name; Alice, Bob and their kin act in every protocol example. */
export const NOT_NAMES = new Set(
  "january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday news newsletter bitcoin-dev also this that these those a an the i we you he she it they pr prs rpc api url http https faq q figure table section update updates release releases note notes new notable changes services popular version part step id ui io json tx cpu gpu p2p utxo utxos usd ceo cto it's if in on at for with from to of and or but not as by is are was were what how why when where who which while since because after before however although additionally field report introduction conclusion acknowledgments bips bolts bip bolt alice bob carol dos mallory eve english american european chinese russian german french spanish japanese"
    .split(" "),
);
