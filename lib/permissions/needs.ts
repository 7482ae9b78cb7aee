/**
 * What the service must be permitted because of how it is set: a pure function of the environment. The tasks of
 * deno.json turn it into flags (print.ts), and the service compares it with what it was given (check.ts).
 *
 * It reads the settings as text: a faulty one needs nothing here, because the program itself tells the fault.
 */
import { join, resolve } from "node:path";
import { type SettingName, SETTINGS } from "../settings.ts";
import { endpointOf, endpointsOfFeed, endpointsOfHost, joinEndpoint, placesOfDatabase } from "./endpoints.ts";

export interface Need {
  /** Who needs it: a setting, or a variable that a library reads. */
  because: string;
  kind: "net" | "read" | "write";
  /** `host:port`, `unix:path`, a path; `*`: any host. */
  value: string;
  /** What is so without it; the service starts all the same. */
  without?: string;
}

export interface Surroundings {
  /** What relative paths start from. */
  cwd: string;
  /** DATA_DIR with its symbolic links followed: the socket of the embedded database lies there. */
  realDataDir: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const SOCKET_NAME = ".s.PGSQL.5432";
const GEMINI_API = "https://generativelanguage.googleapis.com";
const TAVILY_API = "https://api.tavily.com";

/** As the program takes it: the folder that permissions must name. */
export function dataDirOf(env: Environment, cwd: string): string {
  return resolve(cwd, textOf(env, "DATA_DIR"));
}

export function listNeeds(env: Environment, { cwd, realDataDir }: Surroundings): Need[] {
  const text = (name: SettingName) => textOf(env, name);
  const needs: Need[] = [];
  const add = (because: string, kind: Need["kind"], ...values: (string | null)[]) => {
    for (const value of values) if (value !== null) needs.push({ because, kind, value });
  };
  const addFile = (because: string, path: string) => add(because, "read", resolve(cwd, path));

  add("HOST", "net", joinEndpoint(text("HOST"), text("PORT")));
  const dataDir = dataDirOf(env, cwd);
  add("DATA_DIR", "read", dataDir);
  add("DATA_DIR", "write", dataDir);
  if (text("DATABASE_URL") === "") needs.push(...needsOfSocket(realDataDir, dataDir));
  else addDatabase(text("DATABASE_URL"), env, add, addFile);

  // Also with the offline analyst: a session that Gemini began goes on with Gemini.
  const key = text("GEMINI_API_KEY") !== "";
  if (key) add("GEMINI_BASE_URL", "net", endpointOf(text("GEMINI_BASE_URL") || GEMINI_API));
  if (key && text("TAVILY_API_KEY") !== "") {
    add("TAVILY_BASE_URL", "net", endpointOf(text("TAVILY_BASE_URL") || TAVILY_API));
  }
  if (text("TELEGRAM_BOT_TOKEN") !== "") {
    add("TELEGRAM_API_ROOT", "net", endpointOf(text("TELEGRAM_API_ROOT")));
    for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"]) {
      if (env[name]) add(name, "net", endpointOf(env[name]));
    }
  }
  add("ALERT_WEBHOOK_URL", "net", endpointOf(text("ALERT_WEBHOOK_URL")));
  for (const feed of listOf(text("FEEDS"))) {
    if (/^https?:/i.test(feed)) add("FEEDS", "net", ...endpointsOfFeed(feed));
    else addFile("FEEDS", feed);
  }
  for (const host of listOf(text("FEED_HOSTS"))) {
    add("FEED_HOSTS", "net", ...(host === "*" ? ["*"] : endpointsOfHost(host)));
  }
  return needs;
}

/** The demo has a database of its own inside DATA_DIR and speaks to nobody else. */
export function listDemoNeeds(realDataDir: string, dataDir: string): Need[] {
  return needsOfSocket(join(realDataDir, "demo"), join(dataDir, "demo"));
}

/** A socket is bound where links lead to: `pg` wants its full path. */
function needsOfSocket(realFolder: string, folder: string): Need[] {
  const socket = join(realFolder, SOCKET_NAME);
  const need = (kind: Need["kind"], value: string): Need => ({ because: "DATA_DIR", kind, value });
  return [
    { ...need("net", `unix:${socket}`), without: "no command can join while this process runs" },
    ...(realFolder === folder ? [] : [need("read", socket), need("write", socket)]),
  ];
}

function addDatabase(
  databaseUrl: string,
  env: Environment,
  add: (because: string, kind: Need["kind"], ...values: (string | null)[]) => void,
  addFile: (because: string, path: string) => void,
): void {
  const places = placesOfDatabase(databaseUrl, env);
  if (!places) return;
  add("DATABASE_URL", "net", places.endpoint);
  add("DATABASE_URL", "read", places.socket);
  add("DATABASE_URL", "write", places.socket);
  for (const file of places.files) addFile("DATABASE_URL", file);
  if (places.hasPassword) return;
  const inHome = env.HOME ? join(env.HOME, ".pgpass") : null;
  const inProfile = env.APPDATA ? join(env.APPDATA, "postgresql", "pgpass.conf") : null;
  const file = env.PGPASSFILE || inHome || inProfile;
  if (file) addFile(env.PGPASSFILE ? "PGPASSFILE" : "DATABASE_URL", file);
}

function textOf(env: Environment, name: SettingName): string {
  return env[name]?.trim() || SETTINGS[name].default;
}

function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== "");
}
