/**
 * Worker entry: holds the embedded PostgreSQL. It has a thread of its own because PGlite computes on the thread
 * that calls it: inside the main one every query would stall bot, web and analysts, and the second core would idle.
 */
import { PGlite } from "@electric-sql/pglite";
import { serveWire } from "./wire_server.ts";

export type ToWorker = { kind: "open"; folder: string; socketPath: string } | { kind: "close" };
export type FromWorker = { kind: "ready" } | { kind: "closed" } | { kind: "failed"; message: string };

const scope = self as unknown as {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

let stop: () => Promise<void> = () => Promise.resolve();

scope.onmessage = async ({ data }) => {
  try {
    if (data.kind === "open") {
      const db = await PGlite.create({ dataDir: data.folder });
      const server = await serveWire(db, data.socketPath);
      stop = async () => {
        await server.close();
        await db.close();
      };
      scope.postMessage({ kind: "ready" });
    } else {
      await stop();
      scope.postMessage({ kind: "closed" });
    }
  } catch (error) {
    scope.postMessage({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  }
};
