/**
 * Environment -> one typed, checked object. The only reader of `Deno.env` in the program; what it is granted before it
 * starts is found out by lib/permissions/print.ts. Every fault is found in one go and told in one line each: name, what
 * is wanted, what was given.
 */
import { distance } from "fastest-levenshtein";
import { secretsOfLocation } from "./articles/feed_location.ts";
import {
  apiToken,
  botToken,
  chatPlaces,
  choice,
  cronOrOff,
  dollars,
  feedList,
  hostList,
  httpUrl,
  languageList,
  oneWord,
  optional,
  postgresUrl,
  pricePair,
  quietHours,
  seconds,
  timeZone,
  userIds,
  Wanted,
  webhookSecret,
  whole,
} from "./config_values.ts";
import type { Config, ResearchMode } from "./config_shape.ts";
import { fitToDeploy, PLATFORM_NAMES, readDeploy } from "./deploy.ts";
import { UsageError } from "./errors.ts";
import { MOST_EDITS, SHORTEST_SETTING } from "./permissions/near_names.ts";
import { type SettingName, SETTINGS } from "./settings.ts";

export type { Config, ResearchMode };

/** What `fetch` heeds (Deno 2.9.6). */
export const PROXY_NAMES = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "http_proxy",
  "https_proxy",
  "all_proxy",
] as const;

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
  const webhookUrl = get("TELEGRAM_WEBHOOK_URL", optional(httpUrl));
  const webhookSecretText = get("TELEGRAM_WEBHOOK_SECRET", optional(webhookSecret));
  const config: Config = {
    deploy: readDeploy(env),
    databaseUrl: get("DATABASE_URL", optional(postgresUrl)),
    dataDir: get("DATA_DIR", (text) => text),
    dispatch: get("DISPATCH", choice(["kv", "pgboss"] as const)),
    analyst: analyst ?? (geminiKey ? "gemini" : "offline"),
    gemini: {
      apiKey: geminiKey,
      model: get("GEMINI_MODEL", oneWord),
      baseUrl: get("GEMINI_BASE_URL", optional(httpUrl)),
      rpm: get("GEMINI_RPM", whole(1, 1_000_000)),
      price: get("GEMINI_PRICE_USD", optional(pricePair)),
    },
    tavily: {
      apiKey: get("TAVILY_API_KEY", optional(oneWord)),
      baseUrl: get("TAVILY_BASE_URL", optional(httpUrl)),
      creditPrice: get("TAVILY_CREDIT_USD", dollars({ least: 0 })),
    },
    proxied: PROXY_NAMES.some((name) => Boolean(env[name])),
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
    feedHosts: get("FEED_HOSTS", hostList),
    allowPrivateFeeds: get("ALLOW_PRIVATE_FEEDS", choice(["no", "yes"])) === "yes",
    schedule: {
      sessions: get("SCHEDULE", cronOrOff),
      feeds: get("FEEDS_SCHEDULE", cronOrOff),
      digest: get("DIGEST_SCHEDULE", cronOrOff),
    },
    alerts: {
      warnPercent: get("WARN_PERCENT", whole(1, 100)),
      criticalPercent: get("CRITICAL_PERCENT", whole(1, 100)),
      failurePercent: get("FAILURE_PERCENT", whole(1, 100)),
      ungroundedPercent: get("UNGROUNDED_PERCENT", whole(1, 100)),
      stalledMs: get("STALLED_MINUTES", whole(1, 1_440)) * 60_000,
      notMovingMs: get("NOT_MOVING_MINUTES", whole(1, 1_440)) * 60_000,
      feedFailures: get("FEED_FAILURES", whole(1, 1_000)),
      quietHours: get("QUIET_HOURS", optional(quietHours)),
      timeZone: get("TIME_ZONE", timeZone),
      webhook: readWebhook(
        get("ALERT_WEBHOOK_URL", optional(httpUrl)),
        get("ALERT_WEBHOOK_TOKEN", optional(oneWord)),
      ),
    },
    telegram: {
      token: get("TELEGRAM_BOT_TOKEN", optional(botToken)),
      apiRoot: get("TELEGRAM_API_ROOT", httpUrl),
      operators: get("TELEGRAM_OPERATORS", userIds),
      viewers: get("TELEGRAM_VIEWERS", userIds),
      chats: get("TELEGRAM_CHATS", chatPlaces),
      alertChats: get("TELEGRAM_ALERT_CHATS", chatPlaces),
      webhook: webhookUrl && webhookSecretText ? { url: webhookUrl, secret: webhookSecretText } : null,
    },
    apiToken: get("API_TOKEN", optional(apiToken)),
    host: get("HOST", oneWord),
    port: get("PORT", whole(0, 65_535)),
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
  if (webhookUrl && !webhookSecretText && !faulty.has("TELEGRAM_WEBHOOK_SECRET")) {
    faults.push("TELEGRAM_WEBHOOK_SECRET: wanted a secret because TELEGRAM_WEBHOOK_URL is set, got nothing");
  }
  const { warnPercent, criticalPercent } = config.alerts;
  if (warnPercent > criticalPercent) {
    faults.push(
      `WARN_PERCENT: wanted at most CRITICAL_PERCENT, which is ${criticalPercent}, got "${warnPercent}"`,
    );
  }
  faults.push(...findMisspelt(env));
  const there = fitToDeploy(config, env);
  faults.push(...there.faults);
  if (faults.length > 0) throw new UsageError(faults.join("\n"));
  return there.config;
}

/** The values that must never be shown: keys, and the passwords inside addresses. */
export function listSecrets(config: Config): string[] {
  const passwords = config.databaseUrl ? passwordsOf(config.databaseUrl) : [];
  // A webhook's address is often its only secret.
  const { webhook } = config.alerts;
  return [
    config.gemini.apiKey,
    config.tavily.apiKey,
    webhook?.url ?? null,
    webhook?.token ?? null,
    config.telegram.token,
    config.apiToken,
    config.telegram.webhook?.secret ?? null,
    ...config.feeds.flatMap(secretsOfLocation),
    ...passwords,
  ].filter((value) => value !== null);
}

function readWebhook(url: string | null, token: string | null): Config["alerts"]["webhook"] {
  return url === null ? null : { url, token };
}

export function readEnvironment(): Record<string, string | undefined> {
  try {
    // All of it, or what the permission set shows of it: nearly right names are among that (lib/permissions).
    return Deno.env.toObject();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    return Object.fromEntries(
      [...Object.keys(SETTINGS), ...PLATFORM_NAMES, ...PROXY_NAMES].map((name) => [name, Deno.env.get(name)]),
    );
  }
}

/** A name that is nearly a setting's is a mistake that would silently do nothing. */
function findMisspelt(env: Record<string, string | undefined>): string[] {
  const names = Object.keys(SETTINGS);
  return Object.keys(env).filter((name) => !names.includes(name) && env[name] !== undefined).flatMap(
    (name) => {
      const near = names.find((known) =>
        known.length >= SHORTEST_SETTING && distance(known, name) <= MOST_EDITS
      );
      return near ? [`${name}: there is no such setting; did you mean ${near}?`] : [];
    },
  );
}

function describeGiven(name: SettingName, text: string): string {
  return SETTINGS[name].secret ? "something else (not shown)" : JSON.stringify(text);
}

/** The password as it stands in the address and as it is meant; `?password=` is another place for it. */
function passwordsOf(databaseUrl: string): string[] {
  const { password, searchParams } = new URL(databaseUrl);
  return [password, decodeURIComponent(password), searchParams.get("password") ?? ""].filter((text) =>
    text !== ""
  );
}
