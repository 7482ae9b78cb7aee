/**
 * Connections that are opened before their request exists, so that it can leave at once: opening one and waiting for it
 * took 4 to 5 ms of each call when 16 left together (Nov 2026, no TLS and no distance to the server; both cost more).
 * Each serves one request, like any other. One that the server closes meanwhile is thrown away, and nothing was sent.
 */
import { setTimeout } from "node:timers";
import { Connection } from "./connection.ts";

/**
 * How long one is kept, ms. Servers close idle connections after 5 s and more; well before that there is no moment in
 * which a request and the server's goodbye could cross on the way.
 */
const KEPT_MS = 2_000;
/** To one server. */
const MOST_SPARES = 64;

interface Spare {
  connection: Connection;
  /** ms since 1970: a process that was stopped meanwhile has old ones, and no timer has run. */
  until: number;
}

/** Of one server. */
interface Spares {
  opening: number;
  /** In the order of opening. */
  open: Spare[];
}

const byOrigin = new Map<string, Spares>();

/** Opens one more in the background. That it fails means nothing: the request will find out. */
export function openSpare(url: URL): void {
  const spares = byOrigin.get(url.origin) ?? { opening: 0, open: [] };
  byOrigin.set(url.origin, spares);
  if (spares.opening + spares.open.length >= MOST_SPARES) return;
  spares.opening++;
  void keepOpen(url, spares).finally(() => spares.opening--);
}

async function keepOpen(url: URL, { open }: Spares): Promise<void> {
  const connection = await Connection.open(url, AbortSignal.timeout(KEPT_MS)).catch(() => null);
  if (connection === null) return;
  connection.rest();
  const spare = { connection, until: Date.now() + KEPT_MS };
  open.push(spare);
  setTimeout(() => {
    const place = open.indexOf(spare);
    if (place < 0) return;
    open.splice(place, 1);
    connection.close();
  }, KEPT_MS).unref();
}

/** A spare connection, or a new one. Rejects as `Connection.open` does. */
export async function takeConnection(url: URL, signal: AbortSignal): Promise<Connection> {
  signal.throwIfAborted();
  const open = byOrigin.get(url.origin)?.open ?? [];
  for (let spare = open.shift(); spare; spare = open.shift()) {
    const { connection, until } = spare;
    if (!connection.spoiled && Date.now() < until) return connection.use();
    connection.close();
  }
  return (await Connection.open(url, signal)).use();
}
