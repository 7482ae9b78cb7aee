/** What the settings say, typed and checked: config.ts makes it from the environment. */
import type { ChatPlace, QuietHours } from "./config_values.ts";
import type { Micros } from "./money.ts";

/** A process on Deno Deploy. */
export interface Deploy {
  /** "production", "git-branch/<name>" or "preview/<revision>"; null: the platform did not say. */
  timeline: string | null;
}

export type ResearchMode = "off" | "top" | "all";

export interface Config {
  /** Null: not on Deno Deploy. */
  deploy: Deploy | null;
  databaseUrl: string | null;
  dataDir: string;
  /** What carries wake-ups between processes: a queue file of this process, or pg-boss in the database. */
  dispatch: "kv" | "pgboss";
  analyst: "gemini" | "offline";
  gemini: {
    apiKey: string | null;
    model: string;
    baseUrl: string | null;
    /** Requests a minute, over all processes of the database. */
    rpm: number;
    /** Micro-dollars per million tokens, set by hand for a model without a listed price. */
    price: { input: Micros; output: Micros } | null;
  };
  tavily: { apiKey: string | null; baseUrl: string | null; creditPrice: Micros };
  /** The environment names a proxy. */
  proxied: boolean;
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
  /** Hosts that feeds may lead to beside their own, as permissions name them; `*`: any. */
  feedHosts: string[];
  allowPrivateFeeds: boolean;
  /** Cron expressions in UTC; null: not by itself. */
  schedule: { sessions: string | null; feeds: string | null; digest: string | null };
  alerts: {
    /** Shares of a budget, percent. */
    warnPercent: number;
    criticalPercent: number;
    /** Failed articles of those that ended, percent. */
    failurePercent: number;
    /** Dropped quotes of all quotes, percent. */
    ungroundedPercent: number;
    stalledMs: number;
    /** Due work that no worker takes for this long is not just waiting for its turn. */
    notMovingMs: number;
    /** In a row. */
    feedFailures: number;
    /** In `timeZone`; only critical alerts are sent in them. */
    quietHours: QuietHours | null;
    timeZone: string;
    webhook: { url: string; token: string | null } | null;
  };
  telegram: {
    /** Null: no bot. */
    token: string | null;
    apiRoot: string;
    /** User ids. */
    operators: number[];
    viewers: number[];
    chats: ChatPlace[];
    alertChats: ChatPlace[];
    /** Null: long polling. */
    webhook: { url: string; secret: string } | null;
  };
  /** Null: nothing can be started or steered over HTTP. */
  apiToken: string | null;
  host: string;
  /** 0: any free one. */
  port: number;
  logLevel: "debug" | "info" | "warn" | "error";
}
