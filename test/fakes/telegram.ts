/**
 * A fake Telegram on 127.0.0.1, over real HTTP: the Bot API for grammY's `client.apiRoot`, and for tests the people and
 * chats on its other side. It keeps Telegram's limits, refuses in Telegram's words, and fails on purpose when told to.
 *
 *     const telegram = await startFakeTelegram();
 *     const ann = telegram.user(1001);
 *     const answer = await ann.asks("/start_batch 5");
 *     await ann.presses("Start", answer);
 *     await ann.chat.shows(answer, /Session 1/);
 */
import type { Chat, Update, User } from "grammy/types";
import { type CallbackAnswer, Callbacks } from "./telegram/callbacks.ts";
import { FakeChat } from "./telegram/fake_chat.ts";
import { FakeUser } from "./telegram/fake_user.ts";
import type { Fault, FaultWhere, PlannedFault } from "./telegram/faults.ts";
import { Flood, type FloodLimits, type Violation } from "./telegram/flood.ts";
import type { Server } from "./telegram/methods.ts";
import { Params } from "./telegram/params.ts";
import { type ApiCall, type Away, CallServer } from "./telegram/serve_calls.ts";
import { UpdateQueue } from "./telegram/update_queue.ts";
import { type Delivery, Webhook, type WebhookOptions } from "./telegram/webhook.ts";
import { type StoredMessage, World } from "./telegram/world.ts";
import { startWireServer } from "./wire_server.ts";

export type { FakeChat } from "./telegram/fake_chat.ts";
export type { FakeUser } from "./telegram/fake_user.ts";
export type { ApiCall } from "./telegram/serve_calls.ts";
export type { StoredMessage } from "./telegram/world.ts";

export interface FakeTelegramOptions {
  port?: number;
  token?: string;
  /** Answer 429 to what breaks a limit; it is counted in `violations` either way. */
  enforceFlood?: boolean;
  flood?: Partial<FloodLimits>;
  webhook?: WebhookOptions;
  /** How long a test waits for what it expects (default 30 s), ms. */
  waitMs?: number;
}

export interface ChatInfo {
  type?: "group" | "supergroup" | "channel";
  title?: string;
}

export interface FakeTelegram {
  /** For `client.apiRoot`. */
  readonly apiRoot: string;
  readonly token: string;
  readonly me: User;
  readonly calls: readonly ApiCall[];
  callsOf(method: string): ApiCall[];
  /** Limits that were broken. */
  readonly violations: readonly Violation[];
  /** Updates sent to the webhook, with what came back. */
  readonly deliveries: readonly Delivery[];
  /** As the bot set them, by scope (JSON) and language. */
  readonly commands: ReadonlyMap<string, unknown>;
  /** The same person for the same id. Somebody who never wrote to the bot cannot be written to by it. */
  user(id: number, info?: Partial<User>): FakeUser;
  /** The same chat for the same id: a supergroup with the bot in it unless said otherwise. */
  group(id: number, info?: ChatInfo): FakeChat;
  /** What the bot answered to a press so far. */
  answersTo(press: string): readonly CallbackAnswer[];
  /** Puts an update of any kind into the queue. Null when the bot did not ask for its kind. */
  push(update: Omit<Update, "update_id">): Update | null;
  /** Delivers an update to the webhook once more, with the id that it had. */
  repeat(update: Update): Promise<void>;
  /** In all chats, the bot's and people's. */
  readonly messages: readonly StoredMessage[];
  /** Updates that the bot has not confirmed. */
  readonly pending: readonly Update[];
  /** Whether a poller waits for updates now. */
  readonly polling: boolean;
  /** Resolves when the bot has confirmed every update. */
  settled(): Promise<void>;
  /** Resolves with the first value that `look` gives, now or after something happened. */
  until<T>(look: () => T | null | undefined, what: string, timeoutMs?: number): Promise<T>;
  /** Plans a fault for the next calls that fit. */
  fail(where: FaultWhere, fault: Fault): PlannedFault;
  /** Telegram is away until the returned function is called. "refused": the port is closed. */
  goAway(how: "refused" | Away): Promise<() => Promise<void>>;
  /** Every chat as a person would read it. */
  transcript(): string;
  close(): Promise<void>;
}

/** How long a returning server waits for its port, ms. */
const PORT_WAIT_MS = 10_000;

export async function startFakeTelegram(options: FakeTelegramOptions = {}): Promise<FakeTelegram> {
  const { waitMs = 30_000, token = `7001002003:AA${crypto.randomUUID().replaceAll("-", "")}x` } = options;
  const me: User = { id: 7_001_002_003, is_bot: true, first_name: "Nightdesk", username: "nightdesk_bot" };
  const world = new World();
  const queue = new UpdateQueue(() => world.changed());
  const noOne = new AbortController().signal;
  const webhook = new Webhook(
    queue,
    options.webhook ?? {},
    (method, values) => void api.call(method, new Params(values), noOne),
  );
  const flood = new Flood(options.enforceFlood ?? false, options.flood);
  const server: Server = {
    me,
    world,
    queue,
    webhook,
    flood,
    callbacks: new Callbacks(),
    commands: new Map(),
  };
  const api = new CallServer(server, token);
  const users = new Map<number, FakeUser>();
  const wireOptions = { record: false, port: options.port };
  let wire = await startWireServer((request) => api.handle(request), wireOptions);
  const apiRoot = wire.url;

  return {
    apiRoot,
    token,
    me,
    calls: api.calls,
    callsOf: (name) => api.calls.filter(({ method }) => method === name),
    violations: flood.violations,
    deliveries: webhook.deliveries,
    commands: server.commands,
    user(id, info = {}) {
      const known = users.get(id);
      if (known) return known;
      const person: User = { id, is_bot: false, first_name: `Person ${id}`, ...info };
      const chat: Chat.PrivateChat = { id, type: "private", first_name: person.first_name };
      const user = new FakeUser(
        server,
        person,
        new FakeChat(server, world.addChat(chat, "never_started"), waitMs),
      );
      users.set(id, user);
      return user;
    },
    group(id, { type = "supergroup", title = `Group ${id}` } = {}) {
      const state = world.chats.get(id) ?? world.addChat({ id, type, title } as Chat);
      return new FakeChat(server, state, waitMs);
    },
    answersTo: (press) => server.callbacks.answers.get(press) ?? [],
    push: (update) => queue.add(update),
    repeat: (update) => webhook.repeat(update),
    get messages() {
      return [...world.chats.values()].flatMap((chat) => chat.messages);
    },
    pending: queue.pending,
    get polling() {
      return queue.polling;
    },
    async settled() {
      await world.until(() => queue.pending.length === 0 || null, "every update to be confirmed", waitMs);
    },
    until: (look, what, timeoutMs = waitMs) => world.until(look, what, timeoutMs),
    fail: (where, fault) => api.faults.add(where, fault),
    async goAway(how) {
      if (how === "refused") {
        await wire.close();
        return async () => {
          const port = Number(new URL(apiRoot).port);
          wire = await onceFree(() =>
            startWireServer((request) => api.handle(request), { ...wireOptions, port })
          );
        };
      }
      api.away = how;
      queue.stopPolling();
      return () => {
        api.away = null;
        return Promise.resolve();
      };
    },
    transcript: () => world.transcript(),
    async close() {
      webhook.stop();
      queue.stopPolling();
      await wire.close();
    },
  };
}

/** While nobody listened, the system may have lent the port to somebody's connection: it comes back when that ends. */
async function onceFree<T>(listen: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PORT_WAIT_MS;
  while (true) {
    try {
      return await listen();
    } catch (error) {
      const taken = (error as { code?: string }).code === "EADDRINUSE";
      if (!taken || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
