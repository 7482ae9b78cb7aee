/** One client's live stream: server-sent events with ids, caught up after a dropped connection, kept alive. */
import type { Desk } from "../../desk.ts";
import { messageOf } from "../../errors.ts";
import type { Log } from "../../log.ts";
import {
  type LiveBatch,
  type LiveMessage,
  presentEvent,
  SessionWatch,
  type Topic,
  writeMessage,
} from "./watch_session.ts";

/** A silent stream gets a comment this often, ms: proxies cut connections that say nothing for a minute. */
const HEARTBEAT_MS = 15_000;
/** Events that a client may have missed and still gets; with more it is told to load anew. */
const MOST_MISSED = 5_000;
const PAGE = 1_000;
/** A client that reads this much slower than we write is cut off; it comes back and is caught up, writes (one a look). */
const MOST_WAITING = 120;
/** The client waits this long before it comes back, ms. */
const RETRY_MS = 2_000;
const MOST_STREAMS = 1_000;

const encoder = new TextEncoder();

export class LiveStreams {
  readonly #watches = new Map<string, SessionWatch>();
  readonly #clients = new Set<Client>();
  /** Readings under way of sessions that nobody watched so far: who comes meanwhile waits for the same one. */
  readonly #readings = new Map<number, Promise<number>>();
  readonly #desk: Desk;
  readonly #log: Log;

  constructor(desk: Desk, log: Log) {
    this.#desk = desk;
    this.#log = log;
  }

  get full(): boolean {
    return this.#clients.size >= MOST_STREAMS;
  }

  /** Ends every stream. */
  end(): void {
    for (const client of [...this.#clients]) client.close();
  }

  /** Throws `NotFoundError` when there is no such session. */
  async find({ number }: Topic): Promise<void> {
    await this.#desk.progress(number);
  }

  /**
   * @param lastSeen The last event that the client saw; null: it is new.
   * @param deadline Aborted: the client has another answer by now, and null comes back.
   * Throws `NotFoundError` when there is no such session.
   */
  async open(
    topic: Topic,
    lastSeen: number | null,
    deadline: AbortSignal,
  ): Promise<ReadableStream<Uint8Array> | null> {
    // Hundreds of pages come back at the same moment when a service starts again: a watch knows where it is already.
    const seen = this.#watches.get(keyOf(topic))?.seen ?? await this.#readNewest(topic);
    if (deadline.aborted) return null;
    const watch = this.#watch(topic, seen);
    let client: Client | undefined;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        const begun = client = new Client(
          controller,
          () => this.#leave(topic, watch, begun),
          lastSeen ?? watch.seen,
        );
        this.#clients.add(begun);
        begun.say(`retry: ${RETRY_MS}\n\n`);
        watch.add(begun.receive);
        if (lastSeen === null) begun.flow();
        // Not waited for: its failure would leave the client to a stream that is over.
        else void this.#catchUp(topic, lastSeen, watch.seen, begun);
      },
      cancel: () => client?.close(),
    });
  }

  /** The id of the newest event, 0 when there is none. Throws `NotFoundError`. */
  #readNewest({ number }: Topic): Promise<number> {
    const reading = this.#readings.get(number) ?? this.#desk.progress(number)
      .then(() => this.#desk.events(number, { limit: 1 }))
      .then(([newest]) => newest?.event_id ?? 0)
      .finally(() => this.#readings.delete(number));
    this.#readings.set(number, reading);
    return reading;
  }

  #leave(topic: Topic, watch: SessionWatch, client: Client): void {
    this.#clients.delete(client);
    watch.remove(client.receive);
    if (watch.listeners === 0 && this.#watches.get(keyOf(topic)) === watch) {
      this.#watches.delete(keyOf(topic));
    }
  }

  #watch(topic: Topic, seen: number): SessionWatch {
    const watch = this.#watches.get(keyOf(topic)) ?? new SessionWatch(this.#desk, topic, seen, this.#log);
    this.#watches.set(keyOf(topic), watch);
    return watch;
  }

  /** One that cannot be caught up is cut off: it comes back with the last event that it saw. */
  async #catchUp(topic: Topic, from: number, to: number, client: Client): Promise<void> {
    try {
      await this.#tellMissed(topic, from, to, client);
      client.flow();
    } catch (error) {
      this.#log(
        "warn",
        { session: topic.number, error: messageOf(error) },
        "could not catch up a live stream",
      );
      client.cut("could not be caught up");
    }
  }

  async #tellMissed(
    { number, withoutArticles }: Topic,
    from: number,
    to: number,
    client: Client,
  ): Promise<void> {
    let after = from;
    for (let missed = 0; after < to && missed < MOST_MISSED; missed += PAGE) {
      const events = await this.#desk.events(number, { after, limit: PAGE, withoutArticles });
      client.tell(events.map(presentEvent));
      if (events.length < PAGE) return;
      after = events[events.length - 1].event_id;
    }
    if (after < to) {
      client.say("event: reset\ndata: {}\n\n");
      client.skipTo(to);
    }
  }
}

function keyOf({ number, withoutArticles }: Topic): string {
  return `${number} ${withoutArticles}`;
}

/** Keeps the order: what comes while a client is still being caught up waits. */
class Client {
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;
  readonly #onEnd: () => void;
  readonly #heartbeat: ReturnType<typeof setInterval>;
  #last: number;
  #waiting: LiveBatch[] | null = [];
  #open = true;

  /** @param onEnd Called once. @param last The last event that it saw. */
  constructor(controller: ReadableStreamDefaultController<Uint8Array>, onEnd: () => void, last: number) {
    this.#controller = controller;
    this.#onEnd = onEnd;
    this.#last = last;
    this.#heartbeat = setInterval(() => this.say(": alive\n\n"), HEARTBEAT_MS);
  }

  readonly receive = (batch: LiveBatch): void => {
    if (this.#waiting) this.#waiting.push(batch);
    else if (batch.after === this.#last) this.#send(batch.bytes, batch.messages);
    else this.tell(batch.messages);
  };

  /** Caught up: what waited goes out. */
  flow(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const { messages } of waiting) this.tell(messages);
  }

  skipTo(id: number): void {
    this.#last = id;
  }

  tell(messages: readonly LiveMessage[]): void {
    const news = messages.filter(({ id }) => id === null || id > this.#last);
    if (news.length > 0) this.#send(encoder.encode(news.map(writeMessage).join("")), news);
  }

  say(text: string): void {
    this.#send(encoder.encode(text), []);
  }

  /** Ends it in order: what has been written still arrives. */
  close(): void {
    if (!this.#end()) return;
    try {
      this.#controller.close();
    } catch {
      // The reader has cancelled it already.
    }
  }

  /** Ends it at once: closing would wait until the client has read what waits for it. */
  cut(why: string): void {
    if (this.#end()) this.#controller.error(new Error(`The live stream is cut off: ${why}`));
  }

  #end(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    clearInterval(this.#heartbeat);
    this.#onEnd();
    return true;
  }

  #send(bytes: Uint8Array, messages: readonly LiveMessage[]): void {
    if (!this.#open) return;
    if ((this.#controller.desiredSize ?? 0) < -MOST_WAITING) return this.cut("the client reads too slowly");
    for (const { id } of messages) this.#last = id ?? this.#last;
    this.#controller.enqueue(bytes);
  }
}
