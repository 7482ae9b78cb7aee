/**
 * What one of all processes does now and then for all of them: sets free the messages of processes that are gone, and
 * deletes what has lain too long. The queue's row in Postgres says whose turn it is, so many may try. Once at the start
 * as well: a process may live for seconds only.
 */
import type { PgBoss } from "pg-boss";
import { messageOf } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";

/** How often a process offers itself, ms. Five short queries when it is another one's turn. */
const OFFER_MS = 15_000;

export interface Upkeep {
  stop(): Promise<void>;
}

export function keepUp(boss: PgBoss, log: Log): Upkeep {
  let running: Promise<void> | null = null;
  let away = false;
  const offer = () => {
    running ??= boss.supervise().then(
      () => void (away = false),
      (error) => {
        if (!away) log("warn", { error: messageOf(error) }, "could not look after the queue; trying again");
        away = true;
      },
    ).finally(() => running = null);
  };
  const timer = setInterval(offer, OFFER_MS);
  offer();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
