/**
 * The two settings that a notebook needs to find the data, and no other: a notebook has no business with keys. As
 * everywhere the environment wins over the file `.env`, of which only the lines of these two names are looked at.
 */
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { postgresUrl } from "../../lib/config_values.ts";
import { fromFileUrl } from "../../lib/database/paths.ts";
import { UserError } from "../../lib/errors.ts";
import { SETTINGS } from "../../lib/settings.ts";

export interface NotebookSettings {
  /** Null: the embedded database. */
  databaseUrl: string | null;
  /** In full. A relative one begins at the project, wherever the kernel was started. */
  dataDir: string;
  /** As it was written, for messages. */
  dataDirName: string;
}

export const PROJECT = fromFileUrl(new URL("../../", import.meta.url));
const NAMES = ["DATABASE_URL", "DATA_DIR"] as const;
const OWN_LINE = new RegExp(`^\\s*(?:export\\s+)?(?:${NAMES.join("|")})\\s*=`);

/** Throws `UserError` for a DATABASE_URL that is none. */
export function readSettings(project = PROJECT): NotebookSettings {
  const file = readOwnLines(join(project, ".env"));
  const [databaseUrl, dataDir] = NAMES.map((name) => (Deno.env.get(name) ?? file[name] ?? "").trim());
  if (databaseUrl) assertPostgres(databaseUrl);
  const dataDirName = dataDir || SETTINGS.DATA_DIR.default;
  return { databaseUrl: databaseUrl || null, dataDir: resolve(project, dataDirName), dataDirName };
}

function readOwnLines(path: string): Record<string, string | undefined> {
  try {
    const own = Deno.readTextFileSync(path).split(/\r?\n/).filter((line) => OWN_LINE.test(line));
    return parseEnv(own.join("\n"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

function assertPostgres(text: string): void {
  try {
    postgresUrl(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UserError(
      `Cannot connect: DATABASE_URL must be ${error.message}, got something else (not shown)`,
    );
  }
}
