/**
 * Prints the suites of these folders and files whose outcome may depend on the PostgreSQL server: all but those that
 * provably open no database on it. What a file imports decides, directly or through other files of the tests, so a new
 * suite is in as soon as it asks for a database.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** Of these helpers, the names that open nothing; every other name of theirs does. */
const OPENS_NOTHING = {
  "test/helpers/database.ts": ["TestDatabase", "copyDatabase", "dropDatabase", "emptyDatabase"],
  "test/helpers/server_databases.ts": ["ServerDatabase", "ServerDatabases"],
  "test/helpers/postgres_server.ts": ["PostgresServer"],
  // They are embedded ones whatever server there is.
  "test/helpers/embedded.ts": ["makeEmbeddedFolder", "makeUnmigratedFolder"],
};
const IMPORT =
  /^(?:import|export)\s+(?:type\s+)?([\w\s{},*]*?)\s*from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;

const files = process.argv.slice(2).flatMap(listSuites).filter((file) => usesServer(file, new Set()));
if (files.length === 0) throw new Error("No suite uses a server: the rule is wrong");
console.log(files.join("\n"));

function listSuites(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true }).filter((name) => name.endsWith(".test.ts")).sort()
    .map((name) => join(path, name));
}

function usesServer(file, seen) {
  if (seen.has(file)) return false;
  seen.add(file);
  const text = readFileSync(file, "utf8");
  if (/TEST_DATABASE_URL|DATABASE_URL"\)/.test(text)) return true;
  for (const [, names, from, bare, lazy] of text.matchAll(IMPORT)) {
    const specifier = from ?? bare ?? lazy;
    if (!specifier.startsWith(".")) continue;
    const target = normalize(join(dirname(file), specifier));
    // The program is given its database.
    if (!target.startsWith("test/")) continue;
    const harmless = OPENS_NOTHING[target];
    if (harmless ? !namesOf(names).every((name) => harmless.includes(name)) : usesServer(target, seen)) {
      return true;
    }
  }
  return false;
}

/** Without braces (a whole module, a default): a name that is in no list. */
function namesOf(names) {
  const inBraces = /^\{([^}]*)\}$/.exec(names?.trim() ?? "");
  if (!inBraces) return ["*"];
  return inBraces[1].split(",").map((name) => name.trim().replace(/^type\s+/, "").split(/\s+as\s+/)[0])
    .filter(Boolean);
}
