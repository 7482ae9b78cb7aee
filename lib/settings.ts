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
  ANALYST: setting("", "gemini or offline; unset: gemini when there is a key, else offline"),
  GEMINI_API_KEY: { default: "", help: "key of the Gemini API", secret: true },
  GEMINI_MODEL: setting("gemini-3.1-flash-lite", "model; the offline analyst is priced as this one"),
  GEMINI_BASE_URL: setting("", "another address of the Gemini API"),
  GEMINI_RPM: setting("300", "requests a minute"),
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
  ALLOW_PRIVATE_FEEDS: setting("no", "yes lets feeds point to private addresses"),
  LOG_LEVEL: setting("info", "debug, info, warn or error"),
} satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
