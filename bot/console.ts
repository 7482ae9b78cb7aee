/**
 * The same bot in a terminal: the person types what they would type in Telegram and presses buttons by their numbers.
 * Nothing leaves the process; only the Bot API below the bot is another one.
 */
import "./quiet_dependency.ts";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import type { Update, User, UserFromGetMe } from "grammy/types";
import { keepDelivering } from "../lib/alerts/keep_delivering.ts";
import type { AlertSink } from "../lib/alerts/sinks/port.ts";
import type { Session } from "../lib/batches/types.ts";
import type { Config } from "../lib/config.ts";
import type { Database } from "../lib/database/port.ts";
import type { Desk } from "../lib/desk.ts";
import type { Log } from "../lib/log.ts";
import { LocalChat } from "./console/local_chat.ts";
import { type LocalPerson, makePressUpdate, makeTextUpdate } from "./console/local_updates.ts";
import type { Colors } from "./console/render_message.ts";
import { Screen } from "./console/screen.ts";
import type { Terminal } from "./console/terminal.ts";
import { createTerminalApi, toMessage } from "./console/terminal_api.ts";
import { createBot, type DeskBot } from "./create_bot.ts";
import type { Pictures } from "./pictures.ts";

export interface ConsoleDeps {
  desk: Desk;
  db: Database;
  config: Config;
  log: Log;
  pictures: Pictures | null;
  /** Called after a session was started or continued here: wakes who does the work. */
  wake: (session: Session) => Promise<void>;
  terminal: Terminal;
  colors: Colors;
  /** Who the audit trail names for what is done here. */
  actor: string;
  /** Said before anything else. */
  intro: readonly string[];
  /** Aborted: leave in order, now. */
  leave: AbortSignal;
}

/** The person in the terminal, and so their private chat. */
const PERSON_ID = 1;
const LOOK_MS = 100;
/** A finished session's message is brought up to date within this, ms. */
const LAST_EDITS_MS = 10_000;
const LAST_ALERTS_MS = 3_000;

/** Resolves when the person has left. With input that is no terminal, sessions at work are seen to their end first. */
export async function runConsole(deps: ConsoleDeps): Promise<void> {
  const chat = new LocalChat(Math.floor(Date.now() / 1000));
  const screen = new Screen(deps.terminal, chat, deps.colors);
  for (const line of deps.intro) screen.note(line);
  const me = makeBotInfo();
  const user: User = { id: PERSON_ID, is_bot: false, first_name: "You" };
  const person: LocalPerson = { user, chat: { id: PERSON_ID, type: "private", first_name: "You" } };
  const api = createTerminalApi({
    me,
    chatId: PERSON_ID,
    chat,
    view: screen,
    savePicture: (name, bytes) => savePicture(deps.config.dataDir, name, bytes),
  });
  const bot = createBot({
    ...deps,
    config: letIn(deps.config),
    token: `${me.id}:terminal`,
    // Nothing is sent there: the transformer answers every call.
    apiRoot: "http://terminal.invalid",
    transformers: [api],
    actor: deps.actor,
    botInfo: me,
  });
  await bot.start();
  const alerts = await keepDelivering({
    ...deps,
    sinks: bot.sinks.map(asTerminalSink),
    timeZone: deps.config.alerts.timeZone,
    // Whoever sits at a terminal is awake.
    quietHours: null,
  });
  deps.leave.addEventListener("abort", () => deps.terminal.close(), { once: true });
  try {
    let updateId = 1;
    for await (const line of deps.terminal.lines) {
      if (/^(quit|exit)$/i.test(line.trim())) break;
      const update = readLine(line.trim(), updateId++);
      if (update) await bot.inbox.take([update]);
      // In a script, what comes next may press what this brings.
      if (!deps.terminal.interactive) await bot.inbox.idle();
      if (deps.leave.aborted) break;
    }
    if (!deps.terminal.interactive) await seeToTheEnd(deps, bot);
  } finally {
    await bringUpToDate(deps, bot, me.id);
    await alerts.stop(LAST_ALERTS_MS);
    await bot.stop();
    screen.flush();
    // Nobody can edit these messages any more.
    await deps.db.query("DELETE FROM telegram_progress WHERE bot_id = $1", [me.id]);
    await deps.db.query("DELETE FROM telegram_updates WHERE bot_id = $1", [me.id]);
    deps.terminal.close();
  }

  function readLine(line: string, updateId: number): Update | null {
    if (line === "") return null;
    screen.typed(line);
    if (!/^\d{1,6}$/.test(line)) return makeTextUpdate(person, updateId, chat.takeId(), line);
    const pressed = chat.press(Number(line));
    if (!pressed) {
      screen.note(`There is no button ${line} now. A number presses the button that it stands before.`);
      return null;
    }
    screen.pressed(pressed.message);
    return makePressUpdate(person, updateId, toMessage(pressed.message, me, PERSON_ID), pressed.data);
  }
}

/** A bot of its own in each process: several chats and a service on one database do not touch each other's messages. */
function makeBotInfo(): UserFromGetMe {
  return {
    id: 2 ** 40 + crypto.getRandomValues(new Uint32Array(1))[0]!,
    is_bot: true,
    first_name: "Nightdesk",
    username: "nightdesk_bot",
    can_join_groups: false,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
  } as UserFromGetMe;
}

/** Whoever has a terminal on the database's machine is an operator. */
function letIn(config: Config): Config {
  return {
    ...config,
    telegram: {
      ...config.telegram,
      operators: [PERSON_ID],
      viewers: [],
      chats: [],
      alertChats: [{ chat: PERSON_ID, topic: null }],
      webhook: null,
    },
  };
}

/** One name for every terminal: an alert is told in one of them, and what came while none was open is told in the next. */
function asTerminalSink(sink: AlertSink): AlertSink {
  return { name: "terminal", send: (notice, signal) => sink.send(notice, signal) };
}

async function savePicture(dataDir: string, name: string, bytes: Uint8Array): Promise<string> {
  const folder = join(dataDir, "pictures");
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "");
  const path = join(folder, `${time}-${name.replaceAll(/[^\w.-]/g, "_")}`);
  await Deno.writeFile(path, Buffer.from(bytes));
  return path;
}

async function isAtWork(desk: Desk): Promise<boolean> {
  return (await desk.sessions(50)).some(({ status }) => status === "INITIATED" || status === "PROCESSING");
}

async function seeToTheEnd({ desk, leave }: ConsoleDeps, bot: DeskBot): Promise<void> {
  await bot.inbox.idle();
  while (!leave.aborted && await isAtWork(desk)) await pause(LOOK_MS);
}

/** The last edits of sessions that have ended, without the pauses that Telegram wants between edits. */
async function bringUpToDate({ db }: ConsoleDeps, bot: DeskBot, botId: number): Promise<void> {
  await bot.inbox.idle();
  const patience = performance.now() + LAST_EDITS_MS;
  while (performance.now() < patience) {
    const { rowCount } = await db.query(
      `UPDATE telegram_progress p SET next_at = least(p.next_at, now()) FROM batch_processing_sessions s
       WHERE s.session_id = p.session_id AND s.finished_at IS NOT NULL AND p.bot_id = $1 AND p.state <> 'closed'`,
      [botId],
    );
    if (rowCount === 0) break;
    await bot.progress.tick();
    await pause(LOOK_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
