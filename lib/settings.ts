/** Every setting: its default and what it means, in one place, so that config, `--help` and README agree. */
export interface Setting {
  /** As text, as it would stand in the environment; empty: not set. */
  default: string;
  /** One line, with the unit. */
  help: string;
  /** Its value is never shown. */
  secret?: true;
}

function setting(fallback: string, help: string): Setting {
  return { default: fallback, help };
}

export const SETTINGS = {
  DATABASE_URL: { default: "", help: "PostgreSQL 15 or newer; unset: embedded in DATA_DIR", secret: true },
  DATA_DIR: setting(".nightdesk", "folder of the embedded database and the queue"),
  DISPATCH: setting(
    "kv",
    "what carries wake-ups: kv (a file in DATA_DIR) or pgboss (the database, for several machines)",
  ),
  ANALYST: setting("", "gemini or offline; unset: gemini when there is a key, else offline"),
  GEMINI_API_KEY: { default: "", help: "key of the Gemini API", secret: true },
  GEMINI_MODEL: setting("gemini-3.1-flash-lite", "model; the offline analyst is priced as this one"),
  GEMINI_BASE_URL: setting("", "another address of the Gemini API"),
  GEMINI_RPM: setting("300", "requests a minute, over all processes of a database"),
  GEMINI_PRICE_USD: setting("", "dollars per million tokens in/out for a model without a listed price"),
  TAVILY_API_KEY: { default: "", help: "key of the Tavily search API", secret: true },
  TAVILY_BASE_URL: setting("", "another address of the Tavily API"),
  TAVILY_CREDIT_USD: setting("0.008", "dollars a search credit"),
  RESEARCH: setting("off", "off, top (articles with a strong signal) or all"),
  BATCH_SIZE: setting("10", "articles a batch"),
  BATCH_BUDGET_USD: setting("0.30", "hard cap of a session, dollars"),
  DAY_BUDGET_USD: setting("", "hard cap of a UTC day, dollars; unset: none"),
  BATCH_DELAY_SECONDS: setting("30", "between the starts of two batches"),
  ARTICLE_TIMEOUT_SECONDS: setting("300", "an article's time, research included"),
  MAX_ATTEMPTS: setting("3", "tries an article gets"),
  RETRY_BASE_SECONDS: setting("2", "first wait before a retry; doubles each time"),
  MIN_ARTICLE_CHARS: setting("1000", "articles must be longer than this"),
  MAX_SESSION_ARTICLES: setting("200", "articles a session takes at most"),
  CONCURRENCY: setting("4", "articles under way at once"),
  ARTICLE_LANGUAGES: setting("en", "two-letter codes; other languages are refused"),
  FEEDS: setting("", "feed addresses or files, parted by commas"),
  FEED_HOSTS: setting("", "more hosts that feeds may lead to: redirects, pages of their articles; * for any"),
  ALLOW_PRIVATE_FEEDS: setting("no", "yes lets feeds point to private addresses"),
  FEEDS_SCHEDULE: setting("17 * * * *", "when FEEDS are taken in, cron in UTC, or off"),
  SCHEDULE: setting("off", "when a session starts by itself, cron in UTC such as 30 2 * * *, or off"),
  DIGEST_SCHEDULE: setting("0 7 * * *", "when the daily digest is sent, cron in UTC, or off"),
  WARN_PERCENT: setting("67", "share of a budget that raises a warning"),
  CRITICAL_PERCENT: setting("83", "share of a budget that raises a critical alert"),
  FAILURE_PERCENT: setting("20", "failed articles, in percent of those that ended, that raise an alert"),
  UNGROUNDED_PERCENT: setting("20", "quotes not found in their article, in percent, that raise an alert"),
  STALLED_MINUTES: setting("30", "without progress before a session counts as stalled"),
  NOT_MOVING_MINUTES: setting(
    "5",
    "that articles may be due without a worker taking one before that is told",
  ),
  FEED_FAILURES: setting("3", "times in a row that a feed must fail before that is told"),
  QUIET_HOURS: setting("", "such as 22:00-07:00: only critical alerts are sent then, the others after"),
  TIME_ZONE: setting("UTC", "of QUIET_HOURS and of times in messages"),
  ALERT_WEBHOOK_URL: { default: "", help: "address that gets every alert as JSON", secret: true },
  ALERT_WEBHOOK_TOKEN: { default: "", help: "sent with it as a bearer token", secret: true },
  TELEGRAM_BOT_TOKEN: { default: "", help: "token of the bot from @BotFather; unset: no bot", secret: true },
  TELEGRAM_API_ROOT: setting("https://api.telegram.org", "another address of the Telegram Bot API"),
  TELEGRAM_OPERATORS: setting(
    "",
    "user ids that may do everything, parted by commas; /whoami tells one's own",
  ),
  TELEGRAM_VIEWERS: setting("", "user ids that may look but change nothing"),
  TELEGRAM_CHATS: setting(
    "",
    "group chats in which commands are taken, beside private ones and TELEGRAM_ALERT_CHATS",
  ),
  TELEGRAM_ALERT_CHATS: setting("", "chats that get alerts, such as -100123, or -100123:45 for a topic"),
  TELEGRAM_WEBHOOK_URL: setting("", "public address of this service, for a webhook instead of long polling"),
  TELEGRAM_WEBHOOK_SECRET: {
    default: "",
    help: "what Telegram says with each webhook call to prove itself",
    secret: true,
  },
  API_TOKEN: {
    default: "",
    help: "bearer token for starting and steering over HTTP, and for reading from other machines",
    secret: true,
  },
  HOST: setting("127.0.0.1", "address to listen on"),
  PORT: setting("8000", "port to listen on; 0: any free one"),
  LOG_LEVEL: setting("info", "debug, info, warn or error"),
} satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
