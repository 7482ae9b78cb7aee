/**
 * Who may do what, and where. A person's id must be listed AND the chat must be: a private chat with that person, or a
 * group of TELEGRAM_CHATS or TELEGRAM_ALERT_CHATS (any topic of it). Empty lists admit nobody. What has no person
 * behind it (channel posts, anonymous group administrators, other bots) is never admitted.
 */
import type { Chat, Update, User } from "grammy/types";
import type { Config } from "../lib/config.ts";
import type { Role } from "./context.ts";

export interface Person {
  id: number;
  role: Role;
  /** As the audit trail names them. */
  actor: string;
}

export type Admission =
  | { kind: "admitted"; person: Person }
  /** `user`: null when nobody is behind it. */
  | {
    kind: "refused";
    user: number | null;
    chat: number | null;
    why: "nobody" | "unknown_user" | "unknown_chat";
  }
  /** Not a kind of update that the bot deals with. */
  | { kind: "ignored" };

export function judgeUpdate(update: Update, telegram: Config["telegram"]): Admission {
  const { message, callback_query: press } = update;
  if (!message && !press) return { kind: "ignored" };
  const chat: Chat | undefined = message?.chat ?? press?.message?.chat;
  const user: User | undefined = message?.from ?? press?.from;
  const inNameOf = message?.sender_chat;
  if (!user || user.is_bot || inNameOf || !chat || chat.type === "channel") {
    return { kind: "refused", user: null, chat: chat?.id ?? null, why: "nobody" };
  }
  const role = roleOf(user.id, telegram);
  if (role === null) return { kind: "refused", user: user.id, chat: chat.id, why: "unknown_user" };
  if (!isAllowedChat(chat, user.id, telegram)) {
    return { kind: "refused", user: user.id, chat: chat.id, why: "unknown_chat" };
  }
  return { kind: "admitted", person: { id: user.id, role, actor: `operator:telegram:${user.id}` } };
}

export function roleOf(user: number, { operators, viewers }: Config["telegram"]): Role | null {
  if (operators.includes(user)) return "operator";
  return viewers.includes(user) ? "viewer" : null;
}

function isAllowedChat(chat: Chat, user: number, { chats, alertChats }: Config["telegram"]): boolean {
  // A private chat has the id of the person it is with.
  if (chat.type === "private") return chat.id === user;
  return [...chats, ...alertChats].some((place) => place.chat === chat.id);
}

/** Operators may do everything, viewers may look. */
export function mayAct(role: Role, needed: Role): boolean {
  return role === "operator" || needed === "viewer";
}
