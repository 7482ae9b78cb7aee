/** What every handler has at hand beside grammY's own context. */
import type { CommandsFlavor } from "@grammyjs/commands";
import type { Context } from "grammy";
import type { Person } from "./access.ts";
import type { ButtonPress } from "./button_data.ts";

/** Operators may do everything, viewers may look. */
export type Role = "operator" | "viewer";

export interface DeskFlavor {
  /** Who is asking; set by the access check, without which no feature is reached. */
  person: Person;
  /** What a pressed button means; null: it is not one of ours, or of another version. */
  button: ButtonPress | null;
  /** The press was answered, as each one must be. */
  answered: boolean;
}

export type DeskContext = Context & CommandsFlavor & DeskFlavor;
