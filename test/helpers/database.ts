/** A fresh, migrated database for a test file: embedded, or on the server that TEST_DATABASE_URL names. */
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, inject } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import type { Database } from "../../lib/database/port.ts";
import { databaseOn, onServer } from "./template.ts";

export interface TestDatabase {
  db: Database;
  /** What a second process needs to reach the same database. */
  settings: { databaseUrl: string | null; dataDir: string };
  close(): Promise<void>;
}

/** Set when the suites run against a PostgreSQL server. */
export const SERVER = Deno.env.get("TEST_DATABASE_URL") ?? null;

let made = 0;

export async function openTestDatabase(): Promise<TestDatabase> {
  const settings = await makeDatabase();
  const connectionErrors: string[] = [];
  const { database } = await openDatabase({
    ...settings,
    role: "test",
    onConnectionError: (message) => connectionErrors.push(message),
  });
  return {
    db: database,
    settings,
    async close() {
      await database.close();
      await dropDatabase(settings);
    },
  };
}

/** One database for a test file, emptied before each of its tests. */
export function useTestDatabase(): { readonly db: Database } {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await openTestDatabase();
  });
  afterAll(() => test.close());
  beforeEach(() => emptyDatabase(test.db));
  return {
    get db() {
      return test.db;
    },
  };
}

/** A database that nobody has opened yet. */
export async function makeDatabase(): Promise<TestDatabase["settings"]> {
  const template = inject("template");
  const dataDir = await Deno.makeTempDir({ prefix: "nd-" });
  if (SERVER) {
    const name = `nd_test_${Deno.pid}_${++made}`;
    await onServer(SERVER, `CREATE DATABASE ${name} TEMPLATE ${template}`);
    return { databaseUrl: databaseOn(SERVER, name), dataDir };
  }
  await copyFolder(join(template, "postgres"), join(dataDir, "postgres"));
  return { databaseUrl: null, dataDir };
}

export async function dropDatabase(settings: TestDatabase["settings"]): Promise<void> {
  if (SERVER && settings.databaseUrl) {
    await onServer(
      SERVER,
      `DROP DATABASE IF EXISTS ${new URL(settings.databaseUrl).pathname.slice(1)} WITH (FORCE)`,
    );
  }
  await Deno.remove(settings.dataDir, { recursive: true });
}

/** Empties every table, so that tests of one file share a database without sharing data. */
export async function emptyDatabase(db: Database): Promise<void> {
  await db.query(`TRUNCATE articles, article_analyses, batch_processing_sessions, batch_processing_records,
    batch_processing_items, paid_calls, day_budgets, session_events, alerts, workers RESTART IDENTITY CASCADE`);
}

export async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory) await copyFolder(source, target);
    else await Deno.copyFile(source, target);
  }
}
