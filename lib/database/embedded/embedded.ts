/**
 * The database of a laptop: PostgreSQL inside DATA_DIR. The first process owns the files and serves them on a
 * Unix socket in that folder; every other process, notebook or psql connects to that socket.
 */
import { join } from "node:path";
import type { ClientConfig } from "pg";
import { messageOf, UserError } from "../../errors.ts";
import { connectionThrough, connectionTo, mayUseSocket, socketPathOf } from "./connections.ts";
import { describeOwner, type OwnerLock, takeOwnerLock } from "./owner_lock.ts";
import type { FromWorker, ToWorker } from "./server_worker.ts";

/** The folder of the database's own files. */
const FILES = "postgres";
/**
 * PostgreSQL's own lock. Killed between making it and writing its process id into it, the owner leaves it empty, and
 * PostgreSQL then refuses to start for ever. Our lock says that no other process is here.
 */
const STALE_LOCK = "postmaster.pid";
/** The first start of a new folder runs initdb (4.6 s on two slow cores); a loaded machine may take longer. */
const OPEN_TIMEOUT_MS = 60_000;

export interface EmbeddedConnection {
  connection: ClientConfig;
  /** True when this process owns the files. */
  owner: boolean;
  close(): Promise<void>;
}

/**
 * Opens or joins the embedded database of `dataDir`. Throws `UserError` when neither is possible.
 * @param onStopped Told when the database that this process owns died; it does not come back.
 */
export async function openEmbedded(
  dataDir: string,
  role: string,
  onStopped: (message: string) => void,
): Promise<EmbeddedConnection> {
  prepareFolder(dataDir);
  const socketPath = socketPathOf(dataDir);
  const deadline = Date.now() + OPEN_TIMEOUT_MS;
  // Between finding the lock taken and connecting, the owner may still be starting, or just have ended.
  while (true) {
    const lock = lockFolder(dataDir, role);
    if (lock) return await ownEmbedded(dataDir, socketPath, lock, onStopped);
    if (!mayUseSocket(socketPath)) throw new UserError(describeNoSocket(dataDir, socketPath));
    const joined = await joinEmbedded(socketPath);
    if (joined) return joined;
    if (Date.now() > deadline) throw new UserError(describeSilentOwner(dataDir));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Makes sure that the folder exists and only its user can enter: the socket has no password. */
function prepareFolder(dataDir: string): void {
  try {
    Deno.mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    Deno.chmodSync(dataDir, 0o700);
  } catch (error) {
    throw new UserError(
      `Cannot use DATA_DIR ${dataDir}: ${messageOf(error)}. It must be a folder that you may write to`,
    );
  }
}

function lockFolder(dataDir: string, role: string): OwnerLock | null {
  try {
    return takeOwnerLock(dataDir, role);
  } catch (error) {
    throw new UserError(
      `Cannot lock DATA_DIR ${dataDir}: ${messageOf(error)}. Every file in it must be yours to write`,
    );
  }
}

async function ownEmbedded(
  dataDir: string,
  socketPath: string,
  lock: OwnerLock,
  onStopped: (message: string) => void,
): Promise<EmbeddedConnection> {
  let worker: Worker | undefined;
  const letGo = () => {
    worker?.terminate();
    lock.release();
  };
  try {
    // Left behind by an owner that was killed; the lock says that nobody listens on it now.
    removeIfThere(socketPath);
    removeIfThere(join(dataDir, FILES, STALE_LOCK));
    const server = worker = new Worker(new URL("./server_worker.ts", import.meta.url).href, {
      type: "module",
    });
    const shared = mayUseSocket(socketPath);
    await ask(
      server,
      { kind: "open", folder: join(dataDir, FILES), socketPath: shared ? socketPath : null },
      "ready",
    );
    server.onerror = (event) => {
      event.preventDefault();
      onStopped(event.message);
    };
    return {
      connection: shared ? connectionTo(socketPath) : connectionThrough(server),
      owner: true,
      async close() {
        try {
          await ask(server, { kind: "close" }, "closed");
          removeIfThere(socketPath);
        } finally {
          letGo();
        }
      },
    };
  } catch (error) {
    letGo();
    throw new UserError(
      `Cannot open the embedded database in ${dataDir}: ${messageOf(error)}. ` +
        `Check the free disk space and that the folder is yours, or set DATABASE_URL to a PostgreSQL server`,
    );
  }
}

/**
 * Joins the embedded database that another process serves in `dataDir`; null when nobody answers there. Creates and
 * locks nothing, for those who only read.
 */
export async function joinRunning(dataDir: string): Promise<EmbeddedConnection | null> {
  return await joinEmbedded(socketPathOf(dataDir));
}

async function joinEmbedded(socketPath: string): Promise<EmbeddedConnection | null> {
  const connection = connectionTo(socketPath);
  const { default: pg } = await import("pg");
  const probe = new pg.Client({ ...connection, connectionTimeoutMillis: 5_000 });
  probe.on("error", () => {});
  try {
    await probe.connect();
    await probe.query("SELECT 1");
    await probe.end();
    return { connection, owner: false, close: () => Promise.resolve() };
  } catch {
    return null;
  }
}

function describeNoSocket(dataDir: string, socketPath: string): string {
  return `Cannot join DATA_DIR ${dataDir}: ${
    describeOwner(dataDir)
  } holds it, and joining it wanted the permission to ` +
    `reach unix:${socketPath}, got none; the tasks of deno.json grant it`;
}

function describeSilentOwner(dataDir: string): string {
  return `Cannot open DATA_DIR ${dataDir}: ${describeOwner(dataDir)} holds it but does not answer. ` +
    "End that process, or choose another DATA_DIR";
}

function ask(worker: Worker, message: ToWorker, wanted: FromWorker["kind"]): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === wanted) resolve();
      else reject(new Error(data.kind === "failed" ? data.message : `unexpected answer ${data.kind}`));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(message);
  });
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
