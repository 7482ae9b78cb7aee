import { describe, expect, it } from "vitest";
import { listSecrets, PROXY_NAMES, readConfig } from "../lib/config.ts";
import { PLATFORM_NAMES } from "../lib/deploy.ts";
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
  DISPATCH: [["redis", /one of kv, pgboss/]],
  ANALYST: [["gpt", /one of gemini, offline/]],
  GEMINI_API_KEY: [["hidden2 with spaces", /one word/]],
  GEMINI_MODEL: [["gemini 3", /one word/]],
  GEMINI_BASE_URL: [["localhost:9401", /http or https/], ["ftp://host", /http or https/]],
  GEMINI_RPM: [["0", /whole number from 1 to 1000000,/], ["1.5", /whole number/]],
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
  FEED_HOSTS: [["https://cdn.example", /host names/], ["a.example, two_words!", /host names/], [
    "*.",
    /host names/,
  ]],
  ALLOW_PRIVATE_FEEDS: [["maybe", /one of no, yes/]],
  FEEDS_SCHEDULE: [["hourly", /five cron fields/], ["0 0 30 2 *", /five cron fields/]],
  SCHEDULE: [["25 61 * * *", /five cron fields/], ["* * * * * *", /five cron fields/]],
  DIGEST_SCHEDULE: [["7:00", /five cron fields/]],
  WARN_PERCENT: [["0", /from 1 to 100/]],
  CRITICAL_PERCENT: [["101", /from 1 to 100/]],
  FAILURE_PERCENT: [["20%", /whole number/]],
  UNGROUNDED_PERCENT: [["-1", /from 1 to 100/]],
  STALLED_MINUTES: [["half an hour", /from 1 to 1440/]],
  NOT_MOVING_MINUTES: [["0", /from 1 to 1440/]],
  FEED_FAILURES: [["often", /whole number/]],
  QUIET_HOURS: [["22-7", /22:00-07:00/], ["24:00-07:00", /22:00-07:00/], ["07:00-07:00", /different/]],
  TIME_ZONE: [["Berlin", /Europe\/Berlin/]],
  ALERT_WEBHOOK_URL: [["hidden4.example/hook", /http or https/]],
  ALERT_WEBHOOK_TOKEN: [["hidden5 with spaces", /one word/]],
  TELEGRAM_BOT_TOKEN: [["hidden6", /123456:ABC-def/]],
  TELEGRAM_API_ROOT: [["api.telegram.org", /http or https/]],
  TELEGRAM_OPERATORS: [["@nightowl", /no @names/], ["-100123", /whole numbers/], ["12 34x", /user ids/]],
  TELEGRAM_VIEWERS: [["0", /user ids/], ["99999999999999999", /user ids/]],
  TELEGRAM_CHATS: [["@group", /-100123:45/], ["-100123:", /-100123:45/]],
  TELEGRAM_ALERT_CHATS: [["-100123:0", /-100123:45/], ["--1", /chat ids/]],
  TELEGRAM_WEBHOOK_URL: [["desk.example/hook", /http or https/]],
  TELEGRAM_WEBHOOK_SECRET: [["hidden7 short", /16 to 256/], ["hidden8", /16 to 256/]],
  API_TOKEN: [["hidden6 short", /16 letters/], ["hidden7", /16 letters/]],
  HOST: [["two words", /one word/]],
  PORT: [["65536", /from 0 to 65535/], ["http", /whole number/]],
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
    const readWith = (env: Record<string, string>) => {
      const read = new Set<string>();
      readConfig(new Proxy(env, { get: (_, name) => (read.add(String(name)), env[String(name)]!) }));
      return [...read].toSorted();
    };
    expect(readWith({})).toEqual([...NAMES, "DENO_DEPLOY", ...PROXY_NAMES].toSorted());
    expect(readWith({ DENO_DEPLOY: "true", PGHOST: "db.example", PGDATABASE: "desk" })).toEqual(
      [...NAMES, ...PLATFORM_NAMES, ...PROXY_NAMES].toSorted(),
    );
  });

  it("knows whether there is a proxy", () => {
    expect([readConfig({}), readConfig({ https_proxy: "http://proxy.example:3128" })]).toMatchObject(
      [{ proxied: false }, { proxied: true }],
    );
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

  it("refuses a webhook without a secret, because then anybody could speak for Telegram", () => {
    const url = { TELEGRAM_WEBHOOK_URL: "https://desk.example" };
    expect(faultsOf(url)).toEqual([
      "TELEGRAM_WEBHOOK_SECRET: wanted a secret because TELEGRAM_WEBHOOK_URL is set, got nothing",
    ]);
    expect(faultsOf({ ...url, TELEGRAM_WEBHOOK_SECRET: "short" })).toHaveLength(1);
    const { telegram } = readConfig({ ...url, TELEGRAM_WEBHOOK_SECRET: "0123456789abcdef" });
    expect(telegram.webhook).toEqual({ url: "https://desk.example", secret: "0123456789abcdef" });
  });

  it("reads people, chats and topics", () => {
    const { telegram } = readConfig({
      TELEGRAM_OPERATORS: "11, 12",
      TELEGRAM_ALERT_CHATS: "-1001234567890:45 77",
    });
    expect(telegram).toMatchObject({
      operators: [11, 12],
      viewers: [],
      alertChats: [{ chat: -1001234567890, topic: 45 }, { chat: 77, topic: null }],
    });
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

describe("on Deno Deploy", () => {
  const linked = {
    DENO_DEPLOY: "true",
    DENO_TIMELINE: "production",
    DATABASE_URL: "postgres://u:p@db.example/desk",
  };
  const keys = {
    GEMINI_API_KEY: "key-of-gemini",
    TAVILY_API_KEY: "key-of-tavily",
    ALERT_WEBHOOK_URL: "https://hooks.example/x",
    SCHEDULE: "30 2 * * *",
  };

  it("the settings hold as they are in production, with pg-boss, and no address of this machine alone", () => {
    expect(readConfig({ ...linked, ...keys, HOST: "127.0.0.1" })).toMatchObject({
      deploy: { timeline: "production" },
      dispatch: "pgboss",
      host: "0.0.0.0",
      analyst: "gemini",
      gemini: { apiKey: "key-of-gemini" },
      schedule: { sessions: "30 2 * * *" },
    });
  });

  it.each(["git-branch/x", "preview/1", undefined])(
    "nothing is left that spends or speaks on %s",
    (timeline) => {
      const config = readConfig({ ...linked, ...keys, ANALYST: "gemini", DENO_TIMELINE: timeline });
      expect(config).toMatchObject({
        analyst: "offline",
        gemini: { apiKey: null },
        tavily: { apiKey: null },
        telegram: { token: null },
        alerts: { webhook: null },
        schedule: { sessions: null },
      });
      expect(JSON.stringify(config)).not.toMatch(/key-of|hooks/);
    },
  );

  it("the database may come in parts", () => {
    const parts = {
      PGHOST: "db.example",
      PGPORT: "6432",
      PGDATABASE: "a b",
      PGUSER: "u@x",
      PGPASSWORD: "p/w",
    };
    const { databaseUrl } = readConfig({ DENO_DEPLOY: "1", ...parts, PGSSLMODE: "require" });
    expect(databaseUrl).toBe("postgres://u%40x:p%2Fw@db.example:6432/a%20b?sslmode=require");
    expect(() => readConfig({ DENO_DEPLOY: "true" })).toThrow(/^DATABASE_URL: wanted a PostgreSQL database/);
    expect(readConfig(parts).databaseUrl).toBeNull();
  });
});
