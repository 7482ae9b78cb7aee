/** Updates from people and chats that are on no list, drawn from a seed: everything a stranger or a forger could send. */
import type { Chat, Message, MessageEntity, Update, User } from "grammy/types";
import { VERBS } from "../../../bot/button_data.ts";
import { createRandom } from "../../../notebooks/fixture/random.ts";

export interface Known {
  /** Ids of people who may do something, somewhere. */
  people: readonly number[];
  /** Ids of groups where those people may do it. */
  groups: readonly number[];
  /** Tokens of questions that wait for an answer, and where they were asked. */
  questions: readonly { data: string; chat: number; message: number; user: number }[];
}

type Draw = <T>(values: readonly T[]) => T;

const COMMANDS = [
  "/start_batch 5",
  "/start_batch limit=3 budget=1",
  "/estimate",
  "/status",
  "/status 1",
  "/sessions",
  "/articles ready",
  "/analysis 1",
  "/pause 1",
  "/resume 1",
  "/cancel 1",
  "/recover all",
  "/cleanup",
  "/cost 30",
  "/budget day off",
  "/budget session 9",
  "/alerts",
  "/mute 4h",
  "/health",
  "/whoami",
  "/version",
  "/help",
  "/start",
  "/nonsense",
  "hello",
  "/status@nightdesk_bot",
  "/start_batch@nightdesk_bot 5",
  "/WHOAMI",
  "/start_batch\n5",
  "\u202e/status",
  "/status\u0000",
];

/** None of them is admitted: the person is on no list, or the chat is not, or nobody is behind it. */
export function makeStrangeUpdates(
  count: number,
  seed: string,
  known: Known,
): Omit<Update, "update_id">[] {
  const random = createRandom(seed);
  const draw: Draw = (values) => values[Math.floor(random() * values.length)]!;
  return Array.from({ length: count }, () => makeOne(draw, known));
}

function makeOne(draw: Draw, known: Known): Omit<Update, "update_id"> {
  const stranger = person(draw([6_666, 7, 1001_0, -1001, 2 ** 40, 999_999]));
  const member = person(draw(known.people));
  const foreignGroup = groupChat(draw([-100_777, -5, -1_001_000_000_201]));
  const allowedGroup = groupChat(draw(known.groups));
  switch (
    draw(
      [
        "private",
        "private",
        "stranger in a group",
        "member elsewhere",
        "member in another's chat",
        "press",
        "press",
        "edited",
        "channel",
        "anonymous",
        "as channel",
        "bot",
        "odd",
      ] as const,
    )
  ) {
    case "private":
      return { message: text(draw, stranger, privateChat(stranger.id)) };
    case "stranger in a group":
      return { message: text(draw, stranger, draw([allowedGroup, foreignGroup])) };
    case "member elsewhere":
      return { message: text(draw, member, foreignGroup) };
    case "member in another's chat":
      return { message: text(draw, member, privateChat(stranger.id)) };
    case "press":
      return { callback_query: press(draw, known, stranger, member, foreignGroup) };
    case "edited":
      return {
        edited_message: { ...text(draw, draw([stranger, member]), allowedGroup), edit_date: now() },
      } as Update;
    case "channel":
      return { channel_post: { ...text(draw, null, channel()), sender_chat: channel() } } as Update;
    case "anonymous":
      // An administrator who posts as the group itself.
      return {
        message: {
          ...text(draw, bot(1_087_968_824, "GroupAnonymousBot"), allowedGroup),
          sender_chat: allowedGroup,
        },
      } as Update;
    case "as channel":
      return {
        message: {
          ...text(draw, draw([bot(136_817_688, "Channel_Bot"), person(777_000)]), allowedGroup),
          sender_chat: channel(),
          is_automatic_forward: true,
        },
      } as Update;
    case "bot":
      return { message: text(draw, bot(5_555, "other_bot"), draw([allowedGroup, privateChat(5_555)])) };
    case "odd":
      return draw<Omit<Update, "update_id">>([
        {
          message: {
            ...text(draw, stranger, privateChat(stranger.id)),
            text: undefined,
          } as unknown as Message,
        },
        { my_chat_member: { chat: foreignGroup, from: stranger, date: now() } } as unknown as Update,
        { inline_query: { id: "1", from: stranger, query: "status", offset: "" } } as unknown as Update,
        { poll_answer: { poll_id: "1", user: stranger, option_ids: [0] } } as unknown as Update,
        {
          callback_query: {
            id: "2",
            from: stranger,
            chat_instance: "1",
            inline_message_id: "x",
            data: "1:status:1",
          },
        },
      ] as Omit<Update, "update_id">[]);
  }
}

function press(
  draw: Draw,
  known: Known,
  stranger: User,
  member: User,
  foreignGroup: Chat,
): Update["callback_query"] {
  const question = draw(known.questions);
  const data = draw([
    question.data,
    ...VERBS.map((verb) => `1:${verb}:1`),
    "1:budget:day:off",
    "1:mute:4h",
    "",
    "x".repeat(64),
    "1:yes:../../etc",
  ]);
  // Either the person is a stranger, or a member presses in a chat where nothing is taken.
  const [from, chat] = draw([
    [stranger, { id: question.chat, type: "supergroup", title: "g" } as Chat],
    [stranger, privateChat(stranger.id)],
    [member, foreignGroup],
  ]);
  const message = { message_id: question.message, date: now(), chat, text: "?" } as Message;
  return { id: String(draw([1, 2, 3, 4, 5]) * 1_000), from, chat_instance: "1", data, message };
}

function text(draw: Draw, from: User | null, chat: Chat): Update["message"] & Message {
  const said = draw(COMMANDS);
  const command = /^\/\w+(?:@\w+)?/.exec(said)?.[0];
  const entities: MessageEntity[] = command
    ? [{ type: "bot_command", offset: 0, length: command.length }]
    : [];
  return {
    message_id: draw([1, 2, 3, 400]),
    date: now(),
    chat,
    text: said,
    entities,
    ...(from && { from }),
  } as Update["message"] & Message;
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
function person(id: number): User {
  return { id, is_bot: false, first_name: `P${id}`, username: "ann" };
}
function bot(id: number, username: string): User {
  return { id, is_bot: true, first_name: username, username };
}
function privateChat(id: number): Chat {
  return { id, type: "private", first_name: `P${id}` };
}
function groupChat(id: number): Chat {
  return { id, type: "supergroup", title: "g" } as Chat;
}
function channel(): Chat {
  return { id: -1_009_999, type: "channel", title: "News" };
}
