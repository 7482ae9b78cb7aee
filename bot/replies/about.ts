/** What the bot tells of itself, of the desk's health, and of whoever asks. */
import type { FormattedString } from "@grammyjs/parse-mode";
import type { Role } from "../context.ts";
import type { CommandInfo } from "../feature.ts";
import { blocks, facts, lines, plain, strong } from "./format.ts";
import { oneLine } from "./plain_text.ts";

export interface WhoAmI {
  user: number;
  chat: number;
  thread: number | null;
  /** Null: not on any list. */
  role: Role | null;
  /** Whether commands are taken in this chat. */
  allowed: boolean;
}

/** A stranger learns nothing but their own ids. */
export function describeWho({ user, chat, thread, role, allowed }: WhoAmI): FormattedString {
  return blocks(
    facts([
      ["User", String(user)],
      ["Chat", chat === user ? null : String(chat)],
      ["Topic", thread === null ? null : String(thread)],
      ["Role", role],
    ]),
    role !== null && !allowed ? plain("Commands are not taken in this chat.") : null,
  );
}

export interface VersionFacts {
  version: string;
  deno: string;
  database: string;
  migration: string;
  analyst: string;
  model: string;
}

export function describeVersion(
  { version, deno, database, migration, analyst, model }: VersionFacts,
): FormattedString {
  return blocks(
    strong(`Nightdesk ${version}`),
    facts([
      ["Deno", deno],
      ["Database", oneLine(database, 24)],
      ["Schema", oneLine(migration.replace(/_.*$/, ""), 24)],
      ["Analyst", oneLine(analyst, 24)],
      ["Model", oneLine(model, 24)],
    ]),
  );
}

/** Commands in the order in which a night is worked. */
const ORDER = [
  ["Start", ["start_batch", "estimate", "articles"]],
  ["Watch", ["status", "sessions", "analysis", "alerts", "health"]],
  ["Steer", ["pause", "resume", "cancel", "mute"]],
  ["Repair", ["recover", "cleanup"]],
  ["Money", ["budget", "cost"]],
  ["About", ["whoami", "version", "help"]],
] as const;

export function describeHelp(commands: readonly CommandInfo[], role: Role): FormattedString {
  const known = new Map(commands.map((command) => [command.name, command]));
  return blocks(
    plain(
      "Nightdesk reads articles in batches, under a hard budget. Nothing is spent before you confirm it.",
    ),
    ...ORDER.map(([title, names]) => {
      const shown = names.flatMap((name) => {
        const command = known.get(name);
        return command && (role === "operator" || command.role === "viewer") ? [command] : [];
      });
      return shown.length === 0
        ? null
        : lines(strong(title), ...shown.map(({ name, description }) => `/${name} – ${description}`));
    }),
  );
}
