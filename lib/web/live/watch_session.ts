/**
 * Watches one session in Postgres for any number of listeners: one look a second, however many look on. It reads what
 * the database says, so it tells of work that other processes do as well.
 */
import type { TrailEvent } from "../../batches/read_events.ts";
import { isLive } from "../../batches/types.ts";
import type { Desk } from "../../desk.ts";
import { messageOf } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { concerns, presentAlert, presentProgress } from "../present.ts";

/** How often a live session is looked at, ms. */
const LOOK_MS = 1_000;
/** … and one that has ended, which a recovery may bring back, ms. */
const IDLE_LOOK_MS = 5_000;
/** Events read in one look; a faster session is caught up with in the next ones. */
const EVENTS_A_LOOK = 500;

export interface LiveMessage {
  event: "progress" | "event" | "alerts";
  /** Only events have one: a client that comes back names the last it saw. */
  id: number | null;
  data: string;
}

/** What is watched. */
export interface Topic {
  /** Of the session. */
  number: number;
  /** Only moves of the session and its batches: what a page needs, and a fraction of all events. */
  withoutArticles: boolean;
}

/** What one look found, written out once for all who listen. */
export class LiveBatch {
  readonly messages: readonly LiveMessage[];
  /** The event before the first one in it: who has seen up to there can take it as it is. */
  readonly after: number;
  #bytes: Uint8Array | null = null;

  constructor(messages: readonly LiveMessage[], after: number) {
    this.messages = messages;
    this.after = after;
  }

  get bytes(): Uint8Array {
    return this.#bytes ??= encoder.encode(this.messages.map(writeMessage).join(""));
  }
}

export type Listener = (batch: LiveBatch) => void;

const encoder = new TextEncoder();

export class SessionWatch {
  readonly #desk: Desk;
  readonly #topic: Topic;
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #progress = "";
  #alerts = "";
  #stopped = false;
  /** Events up to this one have been told. */
  seen: number;

  constructor(desk: Desk, topic: Topic, seen: number, log: Log) {
    this.#desk = desk;
    this.#topic = topic;
    this.#log = log;
    this.seen = seen;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Tells `listener` how things stand, and everything from now on. */
  add(listener: Listener): void {
    this.#listeners.add(listener);
    const known = [
      this.#progress && message("progress", this.#progress),
      this.#alerts && message("alerts", this.#alerts),
    ];
    listener(new LiveBatch(known.filter((each) => each !== ""), this.seen));
    if (this.#listeners.size === 1) void this.#look();
  }

  remove(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.stop();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    let nextMs = LOOK_MS;
    const { number, withoutArticles } = this.#topic;
    try {
      const [progress, events, alerts] = await Promise.all([
        this.#desk.progress(number),
        this.#desk.events(number, { after: this.seen, limit: EVENTS_A_LOOK, withoutArticles }),
        this.#desk.openAlerts(),
      ]);
      const messages = events.map(presentEvent);
      const after = this.seen;
      this.seen = events.at(-1)?.event_id ?? this.seen;
      const now = JSON.stringify(presentProgress(progress));
      if (now !== this.#progress) messages.push(message("progress", this.#progress = now));
      const open = JSON.stringify(alerts.filter((alert) => concerns(alert, number)).map(presentAlert));
      if (open !== this.#alerts) messages.push(message("alerts", this.#alerts = open));
      if (messages.length > 0) {
        const batch = new LiveBatch(messages, after);
        for (const listener of [...this.#listeners]) listener(batch);
      }
      if (!isLive(progress.session.status)) nextMs = IDLE_LOOK_MS;
      if (events.length === EVENTS_A_LOOK) nextMs = 0;
    } catch (error) {
      this.#log("warn", { session: number, error: messageOf(error) }, "could not look at a session");
    }
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#look(), nextMs);
  }
}

export function presentEvent(event: TrailEvent): LiveMessage {
  return { event: "event", id: event.event_id, data: JSON.stringify(event) };
}

/** As server-sent events write it. */
export function writeMessage({ event, id, data }: LiveMessage): string {
  return `${id === null ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}

function message(event: "progress" | "alerts", data: string): LiveMessage {
  return { event, id: null, data };
}
