/**
 * A copy of an embedded database that a process serves at this moment. A notebook never asks that database itself: it
 * is one backend without a timeout, so one long question would stop every claim, settlement and lease renewal.
 *
 * Most of the files are copied while the process works. Then its turn is taken by an open transaction, in which nobody
 * else can write, and what has changed in the meantime is copied again. What comes out is as after a crash: PostgreSQL
 * reads its log when it opens it.
 */
import pg from "pg";
import { copyChanged } from "./copy_folder.ts";

/** File times are the kernel's, which may be some ms behind the clock. */
const CLOCK_MARGIN_MS = 1_000;
/** Somebody else's statement may be at work. */
const CONNECT_TIMEOUT_MS = 60_000;

/**
 * @param connection To the process that serves the files.
 * @throws What `pg` throws when that process ends, or takes its turn back, before the copy is whole.
 */
export async function copyServed(connection: pg.ClientConfig, files: string, to: string): Promise<void> {
  const began = Date.now() - CLOCK_MARGIN_MS;
  await copyChanged(files, to, 0);
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query("BEGIN");
    await copyChanged(files, to, began);
    await client.query("ROLLBACK");
  } finally {
    await client.end();
  }
}
