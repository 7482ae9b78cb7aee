/**
 * Environment -> one typed, checked object. The only reader of `Deno.env`. Every fault is found in one go and told
 * in one line each: name, what is wanted, what was given.
 */
import { distance } from "fastest-levenshtein";
import { type Micros, parseUsd } from "./money.ts";
import { UsageError } from "./errors.ts";
import { type SettingName, SETTINGS } from "./settings.ts";

export type ResearchMode = "off" | "top" | "all";

export interface Config {
  databaseUrl: string | null;
  dataDir: string;
  analyst: "gemini" | "offline";
  gemini: {
    apiKey: string | null;
    model: string;
    baseUrl: string | null;
    /** Requests a minute, over all articles. */
    rpm: number;
    /** Micro-dollars per million tokens, set by hand for a model without a listed price. */
    price: { input: Micros; output: Micros } | null;
  };
  tavily: { apiKey: string | null; baseUrl: string | null; creditPrice: Micros };
  research: ResearchMode;
  batchSize: number;
  batchBudget: Micros;
  /** Null: no cap on a UTC day. */
  dayBudget: Micros | null;
  batchDelayMs: number;
  articleTimeoutMs: number;
  maxAttempts: number;
  retryBaseMs: number;
  minArticleChars: number;
  maxSessionArticles: number;
  /** Articles under way at once in this process. */
  concurrency: number;
  /** ISO 639-1 codes; articles in other languages are refused. */
  languages: string[];
  feeds: string[];
  allowPrivateFeeds: boolean;
  logLevel: "debug" | "info" | "warn" | "error";
}

/** What is wrong with a value, in words that complete "NAME: wanted …, got …"; null when it is right. */
class Wanted extends Error {}

/**
 * Reads and checks the settings. Throws `UsageError` whose message has one line a fault.
 * @param env Names and values; the process's environment unless a test gives its own.
 */
export function readConfig(env: Record<string, string | undefined> = readEnvironment()): Config {
  const faults: string[] = [];
  const faulty = new Set<SettingName>();
  const get = <T>(name: SettingName, parse: (text: string) => T): T => {
    const given = env[name]?.trim();
    const text = given || SETTINGS[name].default;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof Wanted)) throw error;
      faulty.add(name);
      faults.push(`${name}: wanted ${error.message}, got ${describeGiven(name, text)}`);
      return undefined as T;
    }
  };
  const geminiKey = get("GEMINI_API_KEY", optional(oneWord));
  const analyst = get("ANALYST", optional(choice(["gemini", "offline"] as const)));
  const config: Config = {
    databaseUrl: get("DATABASE_URL", optional(postgresUrl)),
    dataDir: get("DATA_DIR", (text) => text),
    analyst: analyst ?? (geminiKey ? "gemini" : "offline"),
    gemini: {
      apiKey: geminiKey,
      model: get("GEMINI_MODEL", oneWord),
      baseUrl: get("GEMINI_BASE_URL", optional(httpUrl)),
      rpm: get("GEMINI_RPM", whole(1, 100_000)),
      price: get("GEMINI_PRICE_USD", optional(pricePair)),
    },
    tavily: {
      apiKey: get("TAVILY_API_KEY", optional(oneWord)),
      baseUrl: get("TAVILY_BASE_URL", optional(httpUrl)),
      creditPrice: get("TAVILY_CREDIT_USD", dollars({ least: 0 })),
    },
    research: get("RESEARCH", choice(["off", "top", "all"])),
    batchSize: get("BATCH_SIZE", whole(1, 1_000)),
    batchBudget: get("BATCH_BUDGET_USD", dollars({ least: 1 })),
    dayBudget: get("DAY_BUDGET_USD", optional(dollars({ least: 1 }))),
    batchDelayMs: get("BATCH_DELAY_SECONDS", seconds(0, 86_400)),
    articleTimeoutMs: get("ARTICLE_TIMEOUT_SECONDS", seconds(1, 3_600)),
    maxAttempts: get("MAX_ATTEMPTS", whole(1, 20)),
    retryBaseMs: get("RETRY_BASE_SECONDS", seconds(0, 3_600)),
    minArticleChars: get("MIN_ARTICLE_CHARS", whole(0, 1_000_000)),
    maxSessionArticles: get("MAX_SESSION_ARTICLES", whole(1, 1_000_000)),
    concurrency: get("CONCURRENCY", whole(1, 256)),
    languages: get("ARTICLE_LANGUAGES", languageList),
    feeds: get("FEEDS", feedList),
    allowPrivateFeeds: get("ALLOW_PRIVATE_FEEDS", choice(["no", "yes"])) === "yes",
    logLevel: get("LOG_LEVEL", choice(["debug", "info", "warn", "error"])),
  };
  // A value that is wrong has been told; what follows from it would only repeat that.
  const lacks = (name: "GEMINI_API_KEY" | "TAVILY_API_KEY", key: string | null) =>
    config.analyst === "gemini" && !key && !faulty.has(name) && !faulty.has("ANALYST");
  if (lacks("GEMINI_API_KEY", config.gemini.apiKey)) {
    faults.push("GEMINI_API_KEY: wanted a key because ANALYST is gemini, got nothing");
  }
  const researches = !faulty.has("RESEARCH") && config.research !== "off";
  if (researches && lacks("TAVILY_API_KEY", config.tavily.apiKey)) {
    faults.push(`TAVILY_API_KEY: wanted a key because RESEARCH is ${config.research}, got nothing`);
  }
  faults.push(...findMisspelt(env));
  if (faults.length > 0) throw new UsageError(faults.join("\n"));
  return config;
}

/** The values that must never be shown: keys, and the password inside DATABASE_URL. */
export function listSecrets(config: Config): string[] {
  const passwords = config.databaseUrl ? passwordsOf(config.databaseUrl) : [];
  return [config.gemini.apiKey, config.tavily.apiKey, ...passwords].filter((value) => value !== null);
}

function readEnvironment(): Record<string, string | undefined> {
  // With the whole environment in sight, misspelt names are found too; a locked-down process sees its own only.
  const all = Deno.permissions.querySync({ name: "env" }).state === "granted";
  return all ? Deno.env.toObject() : Object.fromEntries(
    Object.keys(SETTINGS).map((name) => [name, Deno.env.get(name)]),
  );
}

/** A name that is nearly a setting's is a mistake that would silently do nothing. */
function findMisspelt(env: Record<string, string | undefined>): string[] {
  const names = Object.keys(SETTINGS);
  return Object.keys(env).filter((name) => !names.includes(name) && env[name] !== undefined).flatMap(
    (name) => {
      const near = names.find((known) => known.length >= 8 && distance(known, name) <= 2);
      return near ? [`${name}: there is no such setting; did you mean ${near}?`] : [];
    },
  );
}

function describeGiven(name: SettingName, text: string): string {
  return SETTINGS[name].secret ? "something else (not shown)" : JSON.stringify(text);
}

function optional<T>(parse: (text: string) => T): (text: string) => T | null {
  return (text) => text === "" ? null : parse(text);
}

function choice<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const found = values.find((value) => value === text.toLowerCase());
    if (found === undefined) throw new Wanted(`one of ${values.filter((value) => value !== "").join(", ")}`);
    return found;
  };
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) throw new Wanted(`a whole number from ${least} to ${most}`);
    return value;
  };
}

/** Seconds as people write them, decimals allowed; returns whole ms. */
function seconds(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) throw new Wanted(`seconds from ${least} to ${most}`);
    return Math.round(value * 1000);
  };
}

function dollars({ least }: { least: number }): (text: string) => Micros {
  return (text) => {
    const value = parseUsd(text);
    if (value === null || value < least) {
      throw new Wanted(`US dollars ${least > 0 ? "over 0" : "from 0 up"}, such as 0.30`);
    }
    return value;
  };
}

function pricePair(text: string): { input: Micros; output: Micros } {
  const [input, output] = text.split("/").map((part) => parseUsd(part));
  if (input === null || output === null || input === undefined || output === undefined) {
    throw new Wanted("US dollars per million input and output tokens, such as 0.25/1.50");
  }
  return { input, output };
}

function oneWord(text: string): string {
  if (!/^\S+$/.test(text)) throw new Wanted("one word without spaces");
  return text;
}

function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !["http:", "https:"].includes(url.protocol)) throw new Wanted("an http or https address");
  return text.replace(/\/+$/, "");
}

function postgresUrl(text: string): string {
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text) || !isDecodable(text)) {
    throw new Wanted("an address like postgres://user:password@host:5432/database");
  }
  return text;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** The password as it stands in the address and as it is meant; `?password=` is another place for it. */
function passwordsOf(databaseUrl: string): string[] {
  const { password, searchParams } = new URL(databaseUrl);
  return [password, decodeURIComponent(password), searchParams.get("password") ?? ""].filter((text) =>
    text !== ""
  );
}

function feedList(text: string): string[] {
  const feeds = splitList(text);
  const wrong = feeds.some((feed) => /^[a-z][a-z0-9+.-]*:/i.test(feed) && !/^https?:\/\/[^/]/i.test(feed));
  if (wrong) throw new Wanted("http or https addresses parted by commas");
  return feeds;
}

function languageList(text: string): string[] {
  const codes = splitList(text.toLowerCase());
  if (codes.length === 0 || codes.some((code) => !/^[a-z]{2}$/.test(code))) {
    throw new Wanted("two-letter language codes parted by commas, such as en,de");
  }
  return codes;
}

function splitList(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== "");
}
