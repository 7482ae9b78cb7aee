/** What every feature is given. */
import type { Api } from "grammy";
import type { Session } from "../lib/batches/types.ts";
import type { Config } from "../lib/config.ts";
import type { Database } from "../lib/database/port.ts";
import type { Desk } from "../lib/desk.ts";
import type { Log } from "../lib/log.ts";
import type { Update } from "grammy/types";
import type { Pictures } from "./pictures.ts";
import type { ProgressBoard } from "./progress/board.ts";

export interface Kit {
  desk: Desk;
  db: Database;
  config: Config;
  log: Log;
  /** Hints at work to do; may fail. */
  wake: (session: Session) => Promise<void>;
  pictures: Pictures | null;
  progress: ProgressBoard;
  /** For what nobody waits for: refusals come back at once instead of being waited out. */
  api: Api;
  now: () => Date;
  /** The zone of times in messages. */
  zone: string;
  /** Updates that were refused since this process started. */
  strangers: () => number;
  /** Updates that nobody has handled yet. */
  waiting: () => Promise<number>;
  /** Begun before by a process that did not finish it. */
  isRetried: (update: Update) => boolean;
}
