/**
 * A copy of an embedded database that this kernel alone uses: a folder of its own in the system's place for temporary
 * files, served by a process of its own (`serve_copy.ts`). The original is kept from nobody.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientConfig } from "pg";
import { connectionTo, socketPathOf } from "../../lib/database/embedded/connections.ts";
import { takeOwnerLock } from "../../lib/database/embedded/owner_lock.ts";
import { fromFileUrl } from "../../lib/database/paths.ts";
import { UserError } from "../../lib/errors.ts";
import { FAILED, READY } from "./serve_copy.ts";
import { PROJECT } from "./settings.ts";

const PREFIX = "nd-notebook-";
const SERVER = fromFileUrl(new URL("./serve_copy.ts", import.meta.url));
/** No environment: there are keys in it. */
const PERMISSIONS = [
  "--no-prompt",
  "--ignore-env",
  "--allow-read",
  "--allow-write",
  "--allow-net",
  "--allow-sys=hostname",
];
/** Copying takes a second, or some for a large database. */
const LONGEST_COPY_MS = 10 * 60_000;

export interface PrivateCopy {
  connection: ClientConfig;
  /** Ends what the database is at, and begins again with the same data. */
  interrupt(): Promise<void>;
  close(): Promise<void>;
}

/** @param fill Copies the database's files to where it is told. */
export async function copyForReading(fill: (to: string) => Promise<void>): Promise<string> {
  await removeAbandoned();
  const folder = await Deno.makeTempDir({ prefix: PREFIX });
  try {
    await fill(join(folder, "postgres"));
    return folder;
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
}

export async function openCopy(folder: string): Promise<PrivateCopy> {
  let server = await startServer(folder);
  return {
    connection: connectionTo(socketPathOf(folder)),
    async interrupt() {
      server.kill("SIGKILL");
      await server.status;
      server = await startServer(folder);
    },
    async close() {
      await server.stdin.close().catch(() => {});
      await server.status;
      // It has done so itself, unless it was killed.
      removeFolder(folder);
    },
  };
}

/** It ends by itself when this process does. */
async function startServer(folder: string): Promise<Deno.ChildProcess> {
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...PERMISSIONS, `--config=${join(PROJECT, "deno.json")}`, SERVER, folder],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let said = "";
  for await (const text of server.stdout.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (said.trimEnd() === READY) return server;
  }
  await server.stdin.close().catch(() => {});
  const reason = said.startsWith(FAILED) ? said.slice(FAILED.length).trim() : "its process did not say why";
  removeFolder(folder);
  throw new UserError(`Cannot open the copy of the database: ${reason}. Run the first cell again`);
}

/** A machine that is switched off leaves copies behind; whoever comes next finds nobody holding their lock. */
export async function removeAbandoned(): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(tmpdir())) {
    if (isDirectory && name.startsWith(PREFIX)) removeIfAbandoned(join(tmpdir(), name));
  }
}

function removeIfAbandoned(folder: string): void {
  try {
    if (isBeingMade(folder)) return;
    const lock = takeOwnerLock(folder, "notebook, tidying");
    if (!lock) return;
    removeFolder(folder);
    lock.release();
  } catch {
    // Another user's, or somebody else was faster: not ours to remove.
  }
}

/** Files that are still being copied have no lock yet. */
function isBeingMade(folder: string): boolean {
  const made = Deno.statSync(folder).mtime?.getTime() ?? 0;
  return !hasLock(folder) && Date.now() - made < LONGEST_COPY_MS;
}

function hasLock(folder: string): boolean {
  return [...Deno.readDirSync(folder)].some(({ name }) => name === "owner.lock");
}

function removeFolder(folder: string): void {
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
