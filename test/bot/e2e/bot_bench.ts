/**
 * The bot as the service runs it (polling or webhook, worker, alerts), in this process, with a fake Telegram and a fake
 * Gemini over HTTP. Whatever a test was about, at its end the token must not stand in anything that was logged, no limit
 * of Telegram was broken, and every table fits a phone.
 */
import { expect } from "vitest";
import { createTelegramService, type TelegramService } from "../../../bot/service.ts";
import { createAnalysts } from "../../../lib/analysis/make_analyst.ts";
import { isLive, type Session } from "../../../lib/batches/types.ts";
import { type Config, listSecrets, readConfig } from "../../../lib/config.ts";
import type { Database } from "../../../lib/database/port.ts";
import { createDesk, type Desk } from "../../../lib/desk.ts";
import { createLog } from "../../../lib/log.ts";
import { type Runtime, startRuntime } from "../../../lib/runtime.ts";
import { createWebApp } from "../../../lib/web/app.ts";
import { type FakeGeminiOptions, startFakeGemini } from "../../fakes/gemini.ts";
import {
  type FakeChat,
  type FakeTelegram,
  type FakeTelegramOptions,
  type FakeUser,
  startFakeTelegram,
} from "../../fakes/telegram.ts";
import { FakeProviderGate } from "./provider_gate.ts";

export interface BotBenchOptions {
  telegram?: FakeTelegramOptions;
  gemini?: FakeGeminiOptions;
  env?: Record<string, string>;
  /** Updates come to a webhook. */
  webhook?: boolean;
  /** Work off sessions (default true). */
  work?: boolean;
}

export interface LoggedLine {
  level: string;
  msg: string;
  [field: string]: unknown;
}

export interface BotBench {
  telegram: FakeTelegram;
  desk: Desk;
  config: Config;
  /** Lets Gemini's answers through, or holds them back. */
  gemini: FakeProviderGate;
  /** Operators, a viewer, and somebody who is on no list. */
  ann: FakeUser;
  bob: FakeUser;
  vera: FakeUser;
  stranger: FakeUser;
  /** A group where commands are taken, and one that gets alerts too. */
  group: FakeChat;
  alertGroup: FakeChat;
  logged: readonly LoggedLine[];
  /** Where the webhook is served; null: the bot polls. */
  webhookOrigin: string | null;
  /** Ends the bot, worker and delivery, as an orderly end of the service does; `start` begins anew. */
  stop(): Promise<void>;
  start(): Promise<void>;
  untilEnded(number: number): Promise<Session>;
  close(): Promise<void>;
}

/** Columns of a monospaced block on a phone. */
const PHONE_WIDTH = 35;
const WEBHOOK_SECRET = "webhook-secret-0123456789";
export const GROUP = -1_001_000_000_200;
export const ALERT_GROUP = -1_001_000_000_300;

export async function openBotBench(db: Database, options: BotBenchOptions = {}): Promise<BotBench> {
  const gate = new FakeProviderGate();
  const gemini = await startFakeGemini({
    ...options.gemini,
    async script(request) {
      const scripted = await options.gemini?.script?.(request);
      await gate.pass();
      return scripted ?? null;
    },
  });
  const door = options.webhook ? openWebhookDoor() : null;
  const telegram = await startFakeTelegram({
    waitMs: 15_000,
    ...options.telegram,
    webhook: { origin: door?.origin, resendMs: 20, ...options.telegram?.webhook },
  });
  const config = readConfig({
    ANALYST: "gemini",
    GEMINI_API_KEY: "test-gemini-key",
    GEMINI_BASE_URL: gemini.url,
    GEMINI_RPM: "100000",
    BATCH_DELAY_SECONDS: "0",
    RETRY_BASE_SECONDS: "0.01",
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    TELEGRAM_OPERATORS: "1001,1002",
    TELEGRAM_VIEWERS: "1003",
    TELEGRAM_CHATS: String(GROUP),
    TELEGRAM_ALERT_CHATS: String(ALERT_GROUP),
    ...(door && {
      TELEGRAM_WEBHOOK_URL: "https://desk.example",
      TELEGRAM_WEBHOOK_SECRET: WEBHOOK_SECRET,
    }),
    ...options.env,
  });
  const lines: string[] = [];
  const logged: LoggedLine[] = [];
  const log = createLog({
    level: "debug",
    secrets: listSecrets(config),
    write(line) {
      lines.push(line);
      logged.push(JSON.parse(line));
    },
  });
  const analysts = createAnalysts(config);
  const desk = createDesk({ db, config, analysts });
  let service: TelegramService | null = null;
  let runtime: Runtime | null = null;

  const bench: BotBench = {
    telegram,
    desk,
    config,
    gemini: gate,
    ann: telegram.user(1001, { first_name: "Ann" }),
    bob: telegram.user(1002, { first_name: "Bob" }),
    vera: telegram.user(1003, { first_name: "Vera" }),
    stranger: telegram.user(6_666, { first_name: "Mallory" }),
    group: telegram.group(GROUP, { title: "The desk" }),
    alertGroup: telegram.group(ALERT_GROUP, { title: "Alerts" }),
    logged,
    webhookOrigin: door?.origin ?? null,
    async start() {
      const wake = () => Promise.resolve(runtime?.worker.wake());
      service = createTelegramService({ desk, db, config, log, wake });
      if (!service) throw new Error("the settings name no bot");
      const { sinks } = service;
      if (options.work !== false) {
        runtime = await startRuntime({ db, desk, config, analysts, role: "service", sinks, log });
      }
      if (door) {
        const { webhook } = service;
        const app = createWebApp({ desk, db, config, log, wake, webhook, dispatcherTrouble: () => null });
        door.handler = (request) => app.fetch(request, "127.0.0.1");
      }
      service.start();
    },
    async stop() {
      if (door) door.handler = null;
      await service?.stop();
      await runtime?.stop(0);
      service = runtime = null;
    },
    async untilEnded(number) {
      return await poll(async () => {
        const { session } = await desk.progress(number);
        return isLive(session.status) ? null : session;
      });
    },
    async close() {
      gate.open();
      await bench.stop();
      await Promise.all([telegram.close(), gemini.close(), door?.close()]);
      const [id, secret] = telegram.token.split(":");
      expect(lines.join("")).not.toContain(secret);
      expect(lines.join("")).not.toContain(`bot${id}`);
      expect(lines.join("")).not.toContain(WEBHOOK_SECRET);
      expect(telegram.violations).toEqual([]);
      expect(findWideLines(telegram)).toEqual([]);
    },
  };
  await bench.start();
  return bench;
}

/** Lines of monospaced blocks that a phone would fold. */
function findWideLines(telegram: FakeTelegram): string[] {
  return telegram.messages.filter(({ from }) => from?.id === telegram.me.id).flatMap(({ versions }) =>
    versions.flatMap(({ text, entities }) =>
      entities.filter(({ type }) => type === "pre").flatMap(({ offset, length }) =>
        text.slice(offset, offset + length).split("\n").filter((line) => [...line].length > PHONE_WIDTH)
      )
    )
  );
}

/** Where the fake Telegram delivers: an HTTP server whose handler comes and goes with the bot. */
function openWebhookDoor() {
  const door: {
    handler: ((request: Request) => Promise<Response>) | null;
    origin: string;
    close(): Promise<void>;
  } = { handler: null, origin: "", close: () => server.shutdown() };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => await door.handler?.(request) ?? new Response("nobody is there", { status: 503 }),
  );
  door.origin = `http://127.0.0.1:${server.addr.port}`;
  return door;
}

/** Resolves with the first value that is not null; fails after 30 s. */
export async function poll<T>(look: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + 30_000;
  while (true) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new Error("waited 30 s in vain");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Longer than the waits before a second try: by then whoever would send again has done so, ms. */
const QUIET_MS = 6_000;

/** Resolves when no message was sent or edited for a while. */
export async function untilQuiet({ telegram }: BotBench): Promise<void> {
  await poll(() => {
    const last = telegram.calls.findLast(({ method }) => /^(send|edit)/.test(method));
    return Promise.resolve(last && Date.now() - last.at > QUIET_MS ? last : null);
  });
}
