import { describe, expect, it } from "vitest";
import { listSecrets, readConfig } from "../lib/config.ts";
import { UsageError } from "../lib/errors.ts";
import { type SettingName, SETTINGS } from "../lib/settings.ts";

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** For every setting a value it refuses and what it says it wants; null: every text is a value. */
const WRONG: Record<SettingName, [value: string, wanted: RegExp][] | null> = {
  DATABASE_URL: [["mysql://a:hidden1@b/c", /postgres:\/\//], [
    "postgres://a:%zzhidden1@b/c",
    /postgres:\/\//,
  ]],
  // What a folder must be is found out when it is opened.
  DATA_DIR: null,
  ANALYST: [["gpt", /one of gemini, offline/]],
  GEMINI_API_KEY: [["hidden2 with spaces", /one word/]],
  GEMINI_MODEL: [["gemini 3", /one word/]],
  GEMINI_BASE_URL: [["localhost:9401", /http or https/], ["ftp://host", /http or https/]],
  GEMINI_RPM: [["0", /whole number from 1 to 100000/], ["1.5", /whole number/]],
  GEMINI_PRICE_USD: [["0.25", /0\.25\/1\.50/], ["a/b", /0\.25\/1\.50/], ["1/", /0\.25\/1\.50/]],
  TAVILY_API_KEY: [["hidden3 with spaces", /one word/]],
  TAVILY_BASE_URL: [["tavily", /http or https/]],
  TAVILY_CREDIT_USD: [["-0.008", /from 0 up/], ["8e-3", /from 0 up/]],
  RESEARCH: [["some", /one of off, top, all/]],
  BATCH_SIZE: [["0", /from 1 to 1000/], ["ten", /whole number/], ["-3", /whole number/]],
  BATCH_BUDGET_USD: [["0", /over 0/], ["-1", /over 0/], ["0.0000001", /over 0/], ["thirty cents", /0\.30/]],
  DAY_BUDGET_USD: [["0", /over 0/], ["NaN", /over 0/]],
  BATCH_DELAY_SECONDS: [["-1", /from 0 to 86400/], ["1m", /seconds/]],
  ARTICLE_TIMEOUT_SECONDS: [["0", /from 1 to 3600/], ["Infinity", /seconds/]],
  MAX_ATTEMPTS: [["0", /from 1 to 20/], ["21", /from 1 to 20/]],
  RETRY_BASE_SECONDS: [["soon", /seconds/]],
  MIN_ARTICLE_CHARS: [["1k", /whole number/]],
  MAX_SESSION_ARTICLES: [["0", /from 1/]],
  CONCURRENCY: [["0", /from 1 to 256/], ["1000", /from 1 to 256/]],
  ARTICLE_LANGUAGES: [["english", /two-letter/], [",", /two-letter/]],
  FEEDS: [["ftp://host/feed.xml", /http or https/], ["https://a.example/feed, htp://b", /http or https/]],
  ALLOW_PRIVATE_FEEDS: [["maybe", /one of no, yes/]],
  LOG_LEVEL: [["loud", /one of debug, info, warn, error/]],
};

function faultsOf(env: Record<string, string>): string[] {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message.split("\n");
  }
  return [];
}

describe("the configuration", () => {
  it("reads every setting there is and none besides", () => {
    const read = new Set<string>();
    readConfig(new Proxy<Record<string, string>>({}, { get: (_, name) => void read.add(String(name)) }));
    expect([...read].toSorted()).toEqual(NAMES.toSorted());
  });

  it("takes the defaults for settings that are not there, empty or blank", () => {
    const defaults = readConfig({});
    expect(defaults).toMatchObject(
      {
        databaseUrl: null,
        dataDir: ".nightdesk",
        analyst: "offline",
        research: "off",
        batchSize: 10,
        batchBudget: 300_000,
        dayBudget: null,
        batchDelayMs: 30_000,
        articleTimeoutMs: 300_000,
        maxAttempts: 3,
        minArticleChars: 1_000,
        maxSessionArticles: 200,
        feeds: [],
      },
    );
    for (const blank of ["", "  "]) {
      expect(readConfig(Object.fromEntries(NAMES.map((name) => [name, blank])))).toEqual(defaults);
    }
  });

  for (const name of NAMES) {
    for (const [value, wanted] of WRONG[name] ?? []) {
      it(`tells a wrong ${name} (${SETTINGS[name].secret ? "secret" : value}) in one line`, () => {
        const faults = faultsOf({ [name]: value });
        expect(faults).toHaveLength(1);
        expect(faults[0]).toMatch(wanted);
        expect(faults[0]).toMatch(new RegExp(`^${name}: wanted .+, got .+`));
        if (SETTINGS[name].secret) expect(faults[0]).not.toMatch(/hidden/);
        else expect(faults[0]).toContain(JSON.stringify(value));
      });
    }
  }

  it("tells all faults at once, one line each", () => {
    const wrong = NAMES.flatMap((name) => WRONG[name] === null ? [] : [[name, WRONG[name][0][0]] as const]);
    const faults = faultsOf(Object.fromEntries(wrong));
    expect(faults.map((fault) => fault.split(":")[0]).toSorted()).toEqual(
      wrong.map(([name]) => name).toSorted(),
    );
  });

  it("asks for the keys that the analyst and the research need, beside other faults, and only once", () => {
    expect(faultsOf({ ANALYST: "gemini", BATCH_SIZE: "x" })).toEqual([
      expect.stringMatching(/^BATCH_SIZE/),
      "GEMINI_API_KEY: wanted a key because ANALYST is gemini, got nothing",
    ]);
    expect(faultsOf({ GEMINI_API_KEY: "k", RESEARCH: "top" })).toEqual([
      "TAVILY_API_KEY: wanted a key because RESEARCH is top, got nothing",
    ]);
    expect(faultsOf({ GEMINI_API_KEY: "k", RESEARCH: "top", TAVILY_API_KEY: "two words" })).toHaveLength(1);
    expect(faultsOf({ ANALYST: "gemini", GEMINI_API_KEY: "two words" })).toHaveLength(1);
  });

  it("asks for no search key when the offline analyst does the research", () => {
    expect(readConfig({ RESEARCH: "all" }).research).toBe("all");
  });

  it("uses Gemini as soon as there is a key, unless told otherwise", () => {
    expect(readConfig({ GEMINI_API_KEY: "k" }).analyst).toBe("gemini");
    expect(readConfig({ GEMINI_API_KEY: "k", ANALYST: "Offline" }).analyst).toBe("offline");
  });

  it("asks after names that are nearly a setting's and leaves foreign ones alone", () => {
    expect(faultsOf({ BATCH_BUDGET: "1", BATCH_BUGDET_USD: "0.3", GEMINI_APIKEY: "secret" })).toEqual([
      "BATCH_BUGDET_USD: there is no such setting; did you mean BATCH_BUDGET_USD?",
      "GEMINI_APIKEY: there is no such setting; did you mean GEMINI_API_KEY?",
    ]);
    expect(faultsOf({ PATH: "/bin", HOME: "/", PORT: "80", LANG: "C", PGHOST: "x", GOOGLE_API_KEY: "k" }))
      .toEqual([]);
  });

  it("keeps money in whole micro-dollars and time in whole milliseconds", () => {
    const config = readConfig({
      BATCH_BUDGET_USD: "$1.5",
      GEMINI_PRICE_USD: "0.25/1.5",
      BATCH_DELAY_SECONDS: "0.5",
      GEMINI_BASE_URL: "http://127.0.0.1:9401//",
      FEEDS: "https://a.example/feed.xml, feeds/b.xml\nhttps://c.example/",
      ARTICLE_LANGUAGES: "EN, de",
    });
    expect(config.batchBudget).toBe(1_500_000);
    expect(config.gemini).toMatchObject({
      price: { input: 250_000, output: 1_500_000 },
      baseUrl: "http://127.0.0.1:9401",
    });
    expect(config.batchDelayMs).toBe(500);
    expect(config.feeds).toEqual(["https://a.example/feed.xml", "feeds/b.xml", "https://c.example/"]);
    expect(config.languages).toEqual(["en", "de"]);
  });

  it("knows every secret, a password as it is written and as it is meant", () => {
    const config = readConfig({
      GEMINI_API_KEY: "gemini-key",
      TAVILY_API_KEY: "tavily-key",
      DATABASE_URL: "postgres://desk:p%40ssword@db.example/desk?password=another",
    });
    expect(listSecrets(config)).toEqual(["gemini-key", "tavily-key", "p%40ssword", "p@ssword", "another"]);
    expect(listSecrets(readConfig({ DATABASE_URL: "postgres://db.example/desk" }))).toEqual([]);
  });
});

describe(".env.example", () => {
  it("lists every setting with its meaning and default, in the order of the program", () => {
    const text = Deno.readTextFileSync(new URL("../.env.example", import.meta.url));
    const listed = [...text.matchAll(/^# (.*)\n#([A-Z_]+)=(.*)$/gm)].map(([, help, name, value]) => ({
      name,
      help,
      default: value,
    }));
    expect(listed).toEqual(NAMES.map((name) => ({
      name,
      help: SETTINGS[name].help,
      default: SETTINGS[name].default,
    })));
  });
});
