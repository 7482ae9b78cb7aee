/**
 * Runs once before all suites: makes the migrated template that every test file copies, because initdb takes seconds
 * and a copy takes a moment. With TEST_DATABASE_URL the template is a database on that server, else a folder.
 */
import type { TestProject } from "vitest/node";
import pg from "pg";
import { openDatabase } from "../../lib/database/connect.ts";

declare module "vitest" {
  export interface ProvidedContext {
    template: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = Deno.env.get("TEST_DATABASE_URL");
  return server ? await setupServer(project, server) : await setupFolder(project);
}

async function setupFolder(project: TestProject): Promise<() => Promise<void>> {
  const folder = await Deno.makeTempDir({ prefix: "nd-template-" });
  await migrateTemplate(null, folder);
  project.provide("template", folder);
  return () => Deno.remove(folder, { recursive: true });
}

async function setupServer(project: TestProject, server: string): Promise<() => Promise<void>> {
  const name = `nd_template_${Deno.pid}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  await migrateTemplate(databaseOn(server, name), "");
  project.provide("template", name);
  return () => onServer(server, `DROP DATABASE ${name} WITH (FORCE)`);
}

async function migrateTemplate(databaseUrl: string | null, dataDir: string): Promise<void> {
  const { database } = await openDatabase({
    databaseUrl,
    dataDir,
    role: "test",
    onConnectionError: () => {},
  });
  await database.close();
}

export function databaseOn(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

export async function onServer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
