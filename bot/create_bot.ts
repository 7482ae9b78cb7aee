/**
 * The Telegram desk put together from what it is given. It starts nothing by itself: updates come in through `inbox`,
 * whoever brings them (long polling, the webhook, the terminal), and `start` begins the work in the background.
 */
import "./quiet_dependency.ts";
import { commands } from "@grammyjs/commands";
import { Api, Bot, type Transformer } from "grammy";
import type { UserFromGetMe } from "grammy/types";
import type { AlertSink } from "../lib/alerts/sinks/port.ts";
import type { Session } from "../lib/batches/types.ts";
import type { Config } from "../lib/config.ts";
import type { Database } from "../lib/database/port.ts";
import type { Desk } from "../lib/desk.ts";
import { messageOf } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { createTelegramSink } from "./alert_sink.ts";
import type { DeskContext } from "./context.ts";
import { cutCalls } from "./cut_calls.ts";
import { createFallback } from "./fallback.ts";
import { createFeatures } from "./features/all.ts";
import { createGate } from "./gate.ts";
import { identify } from "./identify.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import type { Kit } from "./kit.ts";
import { setMenus } from "./menu.ts";
import { paceCalls } from "./pace_calls.ts";
import type { Pictures } from "./pictures.ts";
import { createProgressBoard, type ProgressBoard } from "./progress/board.ts";
import { retryCalls } from "./retry_calls.ts";
import { telegramFetch } from "./telegram_fetch.ts";
import { tellError } from "./tell_error.ts";

export interface BotDeps {
  desk: Desk;
  db: Database;
  /** `config.telegram` says who may do what, and where; its token and addresses are not read here. */
  config: Config;
  log: Log;
  /** Called after a session was started or continued here: wakes who does the work. Never rejects. */
  wake: (session: Session) => Promise<void>;
  /** Null: no pictures. */
  pictures: Pictures | null;
  token: string;
  apiRoot: string;
  /** How requests to the Bot API leave; `telegramFetch` of telegram_fetch.ts unless given. */
  fetch?: typeof fetch;
  /** Stand before `fetch` and may answer calls, so that nothing has to leave the process. */
  transformers?: readonly Transformer[];
  /** Who the bot is; asked with getMe at `start` unless given. */
  botInfo?: UserFromGetMe;
  /** Who the audit trail names for everything that is done here; each person by their id unless given. */
  actor?: string;
  /** The clock of messages, for tests. What stands in the database has the database's clock. */
  now?: () => Date;
}

export interface DeskBot {
  readonly bot: Bot<DeskContext>;
  /** Updates go in here: kept in Postgres until handled, each once, in order within a chat. */
  readonly inbox: Inbox;
  /** The progress messages. */
  readonly progress: ProgressBoard;
  /** One for every chat of TELEGRAM_ALERT_CHATS. */
  readonly sinks: readonly AlertSink[];
  /**
   * Keeps progress messages fresh from now on, asks who the bot is, for as long as Telegram is away, and then handles
   * what a former process left. Throws `UserError` when Telegram refuses the token.
   */
  start(): Promise<void>;
  /** Begins nothing new and waits for the handlers that run, for a moment; then their calls are cut. */
  stop(): Promise<void>;
}

/** Requests that take longer are given up, s; grammY's own 500 would hold up a chat for minutes. */
const CALL_SECONDS = 20;
/** How long calls may still take at the end, ms: a Telegram that is silent must not hold up the process. */
const LAST_CALLS_MS = 2_000;
/** How often what a dead process left behind is looked for, ms. */
const SWEEP_MS = 30_000;

export function createBot(deps: BotDeps): DeskBot {
  const { db, desk, config, log, wake, pictures, token, apiRoot, now = () => new Date() } = deps;
  const zone = config.alerts.timeZone;
  const client = { apiRoot, fetch: deps.fetch ?? telegramFetch, timeoutSeconds: CALL_SECONDS };
  const bot = new Bot<DeskContext>(token, { client, botInfo: deps.botInfo });
  // What nobody waits for is told of refusals at once; what a person waits for waits as long as Telegram asks.
  const api = new Api(token, client);
  const pace = paceCalls();
  const cut = new AbortController();
  bot.api.config.use(pace, ...deps.transformers ?? [], retryCalls(), cutCalls(cut.signal));
  api.config.use(pace, ...deps.transformers ?? [], cutCalls(cut.signal));
  // Alerts have their own end: the last ones are told after the bot has stopped.
  const alertApi = new Api(token, client);
  alertApi.config.use(pace, ...deps.transformers ?? []);

  const botId = Number(token.split(":")[0]);
  const alertPlaces = config.telegram.alertChats.map(({ chat, topic }) => ({ chat, thread: topic }));
  const progress = createProgressBoard({ db, desk, api, log, now, zone, alertPlaces, botId });
  const known = Promise.withResolvers<boolean>();
  if (deps.botInfo) known.resolve(true);
  const inbox = createInbox({
    db,
    log,
    botId,
    ready: known.promise,
    handle: (update) => bot.handleUpdate(update),
    cut: cut.signal,
  });
  const gate = createGate(config.telegram, log, deps.actor);
  const kit: Kit = {
    desk,
    db,
    config,
    log,
    wake,
    pictures,
    progress,
    api,
    now,
    zone,
    strangers: gate.refused,
    waiting: inbox.waiting,
    isRetried: inbox.isRetried,
  };
  const features = createFeatures(kit);
  const commandInfos = features.flatMap((feature) => feature.commands);

  const guarded = bot.errorBoundary((error) => tellError(log, error.ctx, error.error));
  guarded.use(commands());
  guarded.use(gate.composer);
  guarded.use(...features.map(({ composer }) => composer));
  guarded.use(createFallback(features));

  const ending = new AbortController();
  let timer: ReturnType<typeof setInterval> | undefined;
  const sweep = () =>
    inbox.sweep().catch((error) =>
      log("warn", { error: messageOf(error) }, "could not look for unhandled updates")
    );
  return {
    bot,
    inbox,
    progress,
    sinks: alertPlaces.map((place) => createTelegramSink({ db, desk, api: alertApi, log, now, zone }, place)),
    async start() {
      progress.start();
      bot.botInfo = deps.botInfo ?? await identify(api, log, ending.signal);
      known.resolve(true);
      void setMenus(bot.api, commandInfos, config.telegram, log, ending.signal);
      await sweep();
      timer = setInterval(sweep, SWEEP_MS);
    },
    async stop() {
      ending.abort();
      known.resolve(false);
      clearInterval(timer);
      const late = setTimeout(() => cut.abort(), LAST_CALLS_MS);
      await Promise.all([progress.stop(), inbox.stop()]);
      clearTimeout(late);
    },
  };
}
