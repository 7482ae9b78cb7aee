/**
 * The progress messages: one for each chat that watches a session, edited in place at most every 5 s until the session
 * has ended, then followed by the result. Everything stands in Postgres (rows.ts), so a restart goes on editing the
 * same message.
 *
 * `sendMessage` is not idempotent, so what happens when its answer gets lost is decided here:
 * - a progress message is not sent again: its row is `lost`. One that did arrive is found again when somebody presses
 *   a button on it, and /status shows a new one;
 * - the result is sent until Telegram takes it; one whose answer alone got lost is taken for sent (lost_answer.ts).
 */
import { messageOf } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Session } from "../../lib/batches/types.ts";
import type { Database } from "../../lib/database/port.ts";
import type { Place } from "../speak.ts";
import { advanceRow } from "./advance_row.ts";
import { EDIT_PAUSE_MS, type RowTools } from "./row_tools.ts";
import {
  adoptSessions,
  claimDue,
  findMessage,
  hurrySession,
  type ProgressRow,
  watchSession,
} from "./rows.ts";

const TICK_MS = 1_000;
/** Sessions that nobody watches yet are looked for this often, ticks. */
const ADOPT_EVERY = 3;
/** After a tick that failed, ms. */
const TROUBLE_PAUSE_MS = 10_000;

export interface ProgressBoard {
  /** Sends, edits and finishes whatever is due now. */
  tick(): Promise<void>;
  /** The same without anybody waiting for it. */
  poke(): void;
  /** Ticks every second from now on. */
  start(): void;
  stop(): Promise<void>;
  /** The message becomes the session's in this place. Returns the one that was before, or null. */
  watch(
    session: Session,
    place: Place,
    message: number | null,
    shows: "progress" | "something else",
  ): Promise<number | null>;
  /** The session was changed: shown as soon as the pause between edits allows. */
  hurry(session: Session): Promise<void>;
  /** A button was pressed on this message, so it is there. */
  found(session: Session, place: Place, message: number): Promise<void>;
}

export interface BoardOptions extends RowTools {
  db: Database;
  log: Log;
  /** Messages of other bots are not touched. */
  botId: number;
}

export function createProgressBoard(options: BoardOptions): ProgressBoard {
  const { db, log, botId, alertPlaces } = options;
  const underWay = new Set<number>();
  let ticks = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | undefined;
  const pokes = new Set<Promise<unknown>>();
  let stopped = false;

  const work = async (row: ProgressRow) => {
    if (underWay.has(row.progress_id)) return;
    underWay.add(row.progress_id);
    try {
      await advanceRow(options, row);
    } catch (error) {
      log("warn", { session: row.number, error: messageOf(error) }, "could not show a session's progress");
    } finally {
      underWay.delete(row.progress_id);
    }
  };
  const tick = async () => {
    if (ticks++ % ADOPT_EVERY === 0 && alertPlaces.length > 0) await adoptSessions(db, botId, alertPlaces);
    await Promise.all((await claimDue(db, botId)).map(work));
  };
  /** Whether it went well. */
  const look = async () => {
    try {
      await tick();
      return true;
    } catch (error) {
      log("warn", { error: messageOf(error) }, "could not look for progress to show; trying again");
      return false;
    }
  };
  const loop = async () => {
    const pause = await look() ? TICK_MS : TROUBLE_PAUSE_MS;
    if (!stopped) timer = setTimeout(() => running = loop(), pause);
  };

  return {
    tick,
    poke() {
      const poke = look().finally(() => pokes.delete(poke));
      pokes.add(poke);
    },
    start() {
      running = loop();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await Promise.all([running, ...pokes]);
    },
    watch: (session, place, message, shows) =>
      watchSession(db, botId, session.session_id, place, message, shows === "progress" ? EDIT_PAUSE_MS : 0),
    hurry: (session) => hurrySession(db, session.session_id, EDIT_PAUSE_MS),
    found: (session, place, message) => findMessage(db, botId, session.session_id, place, message),
  };
}
