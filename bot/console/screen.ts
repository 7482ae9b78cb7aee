/**
 * What stands in the terminal. The newest message is edited where it stands; an edit of one that has scrolled away is
 * told in a line, or in full when there is something else to press or somebody just pressed it.
 */
import type { BotCommand } from "grammy/types";
import { safe } from "../../lib/safe_text.ts";
import type { LocalChat, LocalMessage } from "./local_chat.ts";
import { type Colors, renderBrief, renderMessage } from "./render_message.ts";
import type { Terminal } from "./terminal.ts";
import type { TerminalView } from "./terminal_api.ts";

/** Without a person at the terminal, edits of one message are told this often, ms. */
const EDIT_MS = 10_000;

interface Printed {
  messageId: number;
  brief: boolean;
  rows: number;
  columns: number;
}

export class Screen implements TerminalView {
  #newest: Printed | null = null;
  /** Messages whose next edit answers a press. */
  readonly #pressed = new Set<number>();
  readonly #toldAt = new Map<number, number>();
  /** Edited since they were told, with what will tell them. */
  readonly #untold = new Map<LocalMessage, ReturnType<typeof setTimeout>>();

  constructor(readonly terminal: Terminal, readonly chat: LocalChat, readonly colors: Colors) {}

  show(message: LocalMessage): void {
    this.#print(message, false);
  }

  edit(message: LocalMessage, was: LocalMessage): void {
    const inFull = this.#pressed.delete(message.id) || hasOtherButtons(message, was);
    const newest = this.#newest;
    if (newest?.messageId === message.id && this.#canReplace(newest)) {
      return this.#print(message, newest.brief && !inFull, newest.rows);
    }
    if (inFull || this.terminal.interactive) return this.#print(message, !inFull);
    const wait = (this.#toldAt.get(message.id) ?? 0) + EDIT_MS - performance.now();
    if (wait <= 0) return this.#print(message, true);
    if (!this.#untold.has(message)) {
      this.#untold.set(message, setTimeout(() => this.#print(message, true), wait));
    }
  }

  /** The person typed something: what stood last is not the last any more. */
  typed(line: string): void {
    this.#newest = null;
    if (!this.terminal.interactive) this.terminal.print(`> ${safe(line)}\n`);
  }

  pressed(message: LocalMessage): void {
    this.#pressed.add(message.id);
  }

  tell(text: string): void {
    this.note(`“${safe(text)}”`);
  }

  /** A line that is not the bot's. */
  note(text: string): void {
    this.#newest = null;
    this.terminal.print(`${this.colors.dim(text)}\n`);
  }

  learn(commands: readonly BotCommand[]): void {
    this.terminal.complete(commands.map(({ command }) => `/${command}`));
  }

  /** Tells what was held back. */
  flush(): void {
    for (const message of [...this.#untold.keys()]) this.#print(message, true);
  }

  #print(message: LocalMessage, brief: boolean, over = 0): void {
    const { terminal, colors, chat } = this;
    const options = {
      colors,
      columns: terminal.columns,
      numberOf: (...of: Parameters<LocalChat["numberOf"]>) => chat.numberOf(...of),
    };
    const rows = brief ? [renderBrief(message, options)] : renderMessage(message, options);
    this.#toldAt.set(message.id, performance.now());
    clearTimeout(this.#untold.get(message));
    this.#untold.delete(message);
    // The empty row that keeps messages apart is printed over as well.
    this.#newest = { messageId: message.id, brief, rows: rows.length + 1, columns: terminal.columns };
    terminal.print(`${rows.join("\n")}\n`, over);
  }

  /** What is taller than the terminal has left it, and another width has folded it anew. */
  #canReplace({ rows, columns }: Printed): boolean {
    const { terminal } = this;
    return terminal.interactive && columns === terminal.columns && rows < terminal.rows - 1;
  }
}

function hasOtherButtons(message: LocalMessage, was: LocalMessage): boolean {
  const labels = ({ keyboard }: LocalMessage) =>
    JSON.stringify(keyboard.map((row) => row.map(({ text }) => text)));
  return message.keyboard.length > 0 && labels(message) !== labels(was);
}
