/** What the web app is given; it opens nothing by itself. */
import type { SecureHeadersVariables } from "hono/secure-headers";
import type { Session } from "../batches/types.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/port.ts";
import type { Desk } from "../desk.ts";
import type { Log } from "../log.ts";

/** What a request carries through the app. */
export interface WebEnv {
  Variables: SecureHeadersVariables & {
    /** Aborted when the request has been answered without its route: what opens something for the client must not. */
    deadline: AbortSignal;
  };
}

export interface WebDeps {
  desk: Desk;
  db: Database;
  config: Config;
  log: Log;
  /** Called after a session was started or continued here: wakes who does the work. Never rejects. */
  wake: (session: Session) => Promise<void>;
  /** Takes Telegram's updates at /telegram/webhook; null: no such route. */
  webhook: ((request: Request) => Promise<Response>) | null;
  /** Health checks and metrics only: the process is there for something else. */
  healthOnly?: boolean;
  /** Why this process takes no wake-ups, for /readyz; null: it does. */
  dispatcherTrouble: () => string | null;
}
