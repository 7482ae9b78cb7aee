/** The bot as a part of the service: polling or webhook, begun in the background, so that nothing waits for Telegram. */
import type { Api } from "grammy";
import type { AlertSink } from "../lib/alerts/sinks/port.ts";
import type { Config } from "../lib/config.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { type BotDeps, createBot, type DeskBot } from "./create_bot.ts";
import { drawnPictures } from "./draw_pictures.ts";
import { explainFailure } from "./call_outcome.ts";
import { growingPause } from "./growing_pause.ts";
import { ALLOWED_UPDATES, pollUpdates } from "./polling.ts";
import { isRefusedToken, type TokenWatch, watchToken } from "./token_watch.ts";
import { createWebhookHandler, webhookAddress, type WebhookHandler } from "./webhook.ts";

export interface TelegramService {
  /** For the delivery of alerts. */
  readonly sinks: readonly AlertSink[];
  /** To be served at /telegram/webhook; null: the bot polls. */
  readonly webhook: WebhookHandler | null;
  /** Begins to take and handle updates. */
  start(): void;
  /** Takes no more updates and waits a moment for the handlers that run. */
  stop(): Promise<void>;
}

/** Null: the settings name no bot. */
export function createTelegramService(
  deps: Omit<BotDeps, "token" | "apiRoot" | "pictures">,
): TelegramService | null {
  const { config: { telegram }, log } = deps;
  if (telegram.token === null) return null;
  const deskBot = createBot({
    ...deps,
    token: telegram.token,
    apiRoot: telegram.apiRoot,
    pictures: drawnPictures,
  });
  const ending = new AbortController();
  let running: Promise<void> | undefined;
  if (telegram.operators.length === 0) {
    log(
      "warn",
      {},
      "TELEGRAM_OPERATORS is empty: the bot takes commands from nobody; /whoami tells people their ids",
    );
  }
  return {
    sinks: deskBot.sinks,
    webhook: telegram.webhook &&
      createWebhookHandler({ inbox: deskBot.inbox, secret: telegram.webhook.secret, log }),
    start() {
      running = run(deskBot, telegram, watchToken(deps.db), log, ending.signal).catch((error) => {
        if (ending.signal.aborted) return;
        log(
          "error",
          { error: error instanceof UserError ? error.message : messageOf(error) },
          "the bot is off",
        );
      });
    },
    async stop() {
      ending.abort();
      await deskBot.stop();
      await running;
    },
  };
}

async function run(
  deskBot: DeskBot,
  telegram: Config["telegram"],
  token: TokenWatch,
  log: BotDeps["log"],
  signal: AbortSignal,
): Promise<void> {
  await deskBot.start();
  const { bot: { api, botInfo }, inbox } = deskBot;
  log("info", { bot: botInfo.username, by: telegram.webhook ? "webhook" : "polling" }, "the bot is there");
  if (telegram.webhook) await setWebhook(api, telegram.webhook, token, log, signal);
  else await pollUpdates({ api, inbox, token, log, signal });
}

/** Until Telegram takes it. */
async function setWebhook(
  api: Api,
  { url, secret }: { url: string; secret: string },
  token: TokenWatch,
  log: BotDeps["log"],
  signal: AbortSignal,
): Promise<void> {
  const pause = growingPause();
  while (!signal.aborted) {
    try {
      await api.setWebhook(
        webhookAddress(url),
        { secret_token: secret, allowed_updates: ALLOWED_UPDATES },
        signal as Parameters<Api["setWebhook"]>[2],
      );
      // The webhook is set; a database that is away just now does not unset it.
      return await token.worked().catch(() => {});
    } catch (thrown) {
      if (signal.aborted) return;
      await token.failed(thrown).catch(() => {});
      const { kind, error } = explainFailure(thrown);
      if (kind === "refused" && !isRefusedToken(thrown)) {
        throw new UserError(`Telegram refuses TELEGRAM_WEBHOOK_URL (${error})`);
      }
      log("warn", { error, again_in_ms: pause.nextMs }, "could not set the webhook; trying again");
      await pause.wait(signal);
    }
  }
}
