/**
 * Serves one PGlite over a Unix socket to any number of PostgreSQL clients (pg, psql, notebooks).
 *
 * `@electric-sql/pglite-socket` does the same but queues single messages, so statements of two connections
 * mix and fail with `portal "" does not exist` (seen with 4 connections; electric-sql/pglite issue 1046).
 */
import type { PGlite } from "@electric-sql/pglite";
import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket } from "node:net";
import { MessageFramer, readyStatus } from "./frame_messages.ts";
import { Turns } from "./turns.ts";

/** A client that opens a transaction and then says nothing blocks everybody: after this long it is cut off. */
const SILENT_TRANSACTION_MS = 20_000;

/** Starts serving at `path`. The socket inherits the folder's protection, which must be 0700. */
export async function serveWire(db: PGlite, path: string): Promise<{ close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const turns = new Turns<Socket>(SILENT_TRANSACTION_MS, async (socket) => {
    socket.destroy();
    await db.exec("ROLLBACK");
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serveClient(db, turns, socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return { close: () => closeServer(server, sockets) };
}

function serveClient(db: PGlite, turns: Turns<Socket>, socket: Socket): void {
  const framer = new MessageFramer();
  // Frames of one client are worked off in order although each waits for its turn.
  let chain: Promise<void> = Promise.resolve();
  socket.setNoDelay(true);
  socket.on("data", (chunk: Uint8Array) => {
    chain = chain.then(async () => {
      for (const frame of framer.push(chunk)) {
        if (frame.kind === "terminate") socket.end();
        else if (frame.kind === "refuse_encryption") socket.write("N");
        else await turns.run(socket, () => runUnit(db, socket, frame.bytes));
      }
    }).catch(() => void socket.destroy());
  });
  // A client that dies shows as an error first; "close" always follows and does the cleaning.
  socket.on("error", () => {});
  socket.on("close", () => void turns.leave(socket));
}

/** Resolves to true when the client must keep its turn. */
async function runUnit(db: PGlite, socket: Socket, bytes: Uint8Array): Promise<boolean> {
  if (socket.destroyed) return false;
  const answer = await db.runExclusive(() => db.execProtocolRaw(bytes));
  if (!socket.destroyed) socket.write(Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength));
  return readyStatus(answer) !== "I";
}

async function closeServer(server: Server, sockets: Set<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  await closed;
}
