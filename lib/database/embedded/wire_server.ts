/**
 * Serves one PGlite over a Unix socket to any number of PostgreSQL clients (pg, psql, notebooks).
 *
 * `@electric-sql/pglite-socket` does the same but queues single messages, so statements of two connections
 * mix and fail with `portal "" does not exist` (seen with 4 connections; electric-sql/pglite issue 1046).
 */
import type { PGlite } from "@electric-sql/pglite";
import { Buffer } from "node:buffer";
import { createServer, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { type Frame, MessageFramer, readyStatus } from "./frame_messages.ts";
import { refuseCopy } from "./refuse_copy.ts";
import { Turns } from "./turns.ts";

/** A client that opens a transaction and then says nothing blocks everybody: after this long it is cut off. */
const SILENT_TRANSACTION_MS = 20_000;

/** A connected socket, or what stands for one. */
export interface Client extends Duplex {
  setNoDelay(noDelay?: boolean): unknown;
}

export interface WireServer {
  /** Serves a client that did not come through the socket. */
  accept(client: Client): void;
  close(): Promise<void>;
}

/**
 * Starts serving at `path`. The socket inherits the folder's protection, which must be 0700.
 * @param path Null: nowhere; only who is accepted is served.
 */
export async function serveWire(
  db: PGlite,
  path: string | null,
  silentTransactionMs = SILENT_TRANSACTION_MS,
): Promise<WireServer> {
  const sockets = new Set<Client>();
  const turns = new Turns<Client>(silentTransactionMs, async (socket) => {
    socket.destroy();
    await endTransaction(db);
  });
  const accept = (socket: Client) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serveClient(db, turns, socket);
  };
  const server = path === null ? null : await listen(path, accept);
  return { accept, close: () => closeServer(server, sockets) };
}

function listen(path: string, accept: (client: Client) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(accept);
    server.once("error", reject);
    server.listen(path, () => resolve(server));
  });
}

function serveClient(db: PGlite, turns: Turns<Client>, socket: Client): void {
  const framer = new MessageFramer();
  // Frames of one client are worked off in order although each waits for its turn.
  let chain: Promise<void> = Promise.resolve();
  socket.setNoDelay(true);
  socket.on("data", (chunk: Uint8Array) => {
    chain = chain.then(async () => {
      for (const frame of readFrames(framer, chunk)) {
        if (frame.kind === "terminate") socket.end(() => socket.destroy());
        else if (frame.kind === "refuse_encryption") socket.write("N");
        else await turns.run(socket, () => runUnit(db, socket, frame.bytes));
      }
    });
  });
  // A client that dies shows as an error first; "close" always follows and does the cleaning.
  socket.on("error", () => {});
  socket.on("close", () => void turns.leave(socket));
}

/** What is not the protocol counts as a farewell. */
function readFrames(framer: MessageFramer, chunk: Uint8Array): Frame[] {
  try {
    return framer.push(chunk);
  } catch (error) {
    if (error instanceof RangeError) return [{ kind: "terminate" }];
    throw error;
  }
}

/**
 * Resolves to true when the client must keep its turn. Rejects only when the database itself is broken: a wrong
 * statement is an answer like any other. Nobody catches that; it ends this thread, and the owner is told.
 */
async function runUnit(db: PGlite, socket: Client, bytes: Uint8Array): Promise<boolean> {
  if (socket.destroyed) return false;
  const answer = await db.runExclusive(() => db.execProtocolRaw(refuseCopy(bytes)));
  if (!socket.destroyed) socket.write(Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength));
  return readyStatus(answer) !== "I";
}

/** CopyFail and Sync. After an error the backend skips everything up to a Sync, so a lone ROLLBACK would be lost. */
const ABANDON = Uint8Array.of(0x66, 0, 0, 0, 5, 0, 0x53, 0, 0, 0, 4);

async function endTransaction(db: PGlite): Promise<void> {
  await db.runExclusive(() => db.execProtocolRaw(ABANDON));
  await db.exec("ROLLBACK");
}

async function closeServer(server: Server | null, sockets: Set<Client>): Promise<void> {
  const closed = new Promise<void>((resolve) => server ? server.close(() => resolve()) : resolve());
  for (const socket of sockets) socket.destroy();
  await closed;
}
