/**
 * Hears what Postgres is told with NOTIFY on one channel, over a connection of its own that comes back by itself.
 * Only a hint: what is told while the connection is away, or behind a pooler that does not pass it on, is not heard, so
 * whoever needs to know looks now and then as well.
 */
import pg from "pg";
import { messageOf } from "../errors.ts";

/** Waits between the tries to come back, ms; the last one for good. */
const COME_BACK_MS = [200, 1_000, 5_000, 15_000];
const CONNECT_TIMEOUT_MS = 10_000;

export interface Listener {
  stop(): Promise<void>;
}

export interface ListenOptions {
  databaseUrl: string;
  /** As it stands in NOTIFY, without quotes. */
  channel: string;
  /** Also called once with null whenever the connection has come about: something may have been missed before. */
  onNotice: (payload: string | null) => void;
  /** Told once for each time that the connection is lost, or does not come about. */
  onLost: (message: string) => void;
}

export function keepListening(options: ListenOptions): Listener {
  let client: pg.Client | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let [tries, stopped] = [0, false];
  const connect = async () => {
    const made = new pg.Client({
      connectionString: options.databaseUrl,
      application_name: "nightdesk listener",
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      // Nothing is ever sent: without it a connection that was cut in silence would not be noticed for hours.
      keepAlive: true,
      keepAliveInitialDelayMillis: CONNECT_TIMEOUT_MS,
    });
    client = made;
    let ended = false;
    const lose = (error: unknown) => {
      if (ended) return;
      ended = true;
      void made.end().catch(() => {});
      if (stopped) return;
      if (tries === 0) options.onLost(messageOf(error));
      timer = setTimeout(connect, COME_BACK_MS[Math.min(tries++, COME_BACK_MS.length - 1)]);
    };
    made.on("error", lose);
    made.on("end", () => lose(new Error("the connection ended")));
    made.on("notification", ({ payload }) => options.onNotice(payload ?? null));
    try {
      await made.connect();
      await made.query(`LISTEN ${pg.escapeIdentifier(options.channel)}`);
      tries = 0;
      if (!stopped) options.onNotice(null);
    } catch (error) {
      lose(error);
    }
  };
  void connect();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}
