/**
 * Where a person types and reads: a terminal with a line to edit at its bottom, or plain input and output, so that the
 * chat can be scripted.
 */
import { createInterface, type Interface } from "node:readline";
import process from "node:process";

export interface Terminal {
  /** A person sits at it: what was printed can be printed over. */
  readonly interactive: boolean;
  readonly columns: number;
  readonly rows: number;
  /** What is typed, line by line, until the input ends or `close`. */
  readonly lines: AsyncIterable<string>;
  /**
   * Prints above the line that is being typed.
   * @param over Rows above it that are printed over.
   */
  print(text: string, over?: number): void;
  /** What the tab key completes. */
  complete(words: readonly string[]): void;
  close(): void;
}

export interface TerminalOptions {
  prompt: string;
  /** Cuts secrets out of everything that is printed. */
  scrub(text: string): string;
}

export function openTerminal(options: TerminalOptions): Terminal {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal() ? openInteractive(options) : openPlain(options);
}

function openInteractive({ prompt, scrub }: TerminalOptions): Terminal {
  let words: readonly string[] = [];
  const readline = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt,
    completer: (typed: string) => [words.filter((word) => word.startsWith(typed)), typed],
  });
  let open = true;
  readline.on("close", () => {
    // The empty prompt goes: whatever is said next stands at the start of a line.
    if (open) process.stdout.write("\r\x1b[J");
    open = false;
  });
  // Ctrl-C leaves in order, like Ctrl-D.
  readline.on("SIGINT", () => readline.close());
  readline.on("line", () => readline.prompt());
  readline.prompt();
  return {
    interactive: true,
    get columns() {
      return process.stdout.columns || 80;
    },
    get rows() {
      return process.stdout.rows || 24;
    },
    lines: readline,
    print(text, over = 0) {
      const up = (open ? rowsAboveCursor(readline) : 0) + over;
      process.stdout.write(`\r${up > 0 ? `\x1b[${up}A` : ""}\x1b[J${scrub(text)}\n`);
      if (open) readline.prompt(true);
    },
    complete: (known) => words = known,
    close: () => readline.close(),
  };
}

/** Rows of a long line that is being typed, above the cursor. Told to forget them, readline redraws it below. */
function rowsAboveCursor(readline: Interface): number {
  const { rows } = readline.getCursorPos();
  (readline as Interface & { prevRows: number }).prevRows = 0;
  return rows;
}

function openPlain({ scrub }: TerminalOptions): Terminal {
  const encoder = new TextEncoder();
  const stop = new AbortController();
  return {
    interactive: false,
    columns: 100,
    rows: Infinity,
    lines: readLines(Deno.stdin.readable, stop.signal),
    print(text) {
      let bytes = encoder.encode(`${scrub(text)}\n`);
      try {
        while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
      } catch (error) {
        // The reader has seen enough (`… | head`); the chat itself goes on.
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      }
    },
    complete() {},
    close: () => stop.abort(),
  };
}

async function* readLines(input: ReadableStream<Uint8Array>, stop: AbortSignal): AsyncIterable<string> {
  let rest = "";
  // The stream stays open after an abort: nothing else reads it, and the process is about to end.
  const reader = input.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  const stopped = new Promise<{ done: true; value: undefined }>((resolve) =>
    stop.addEventListener("abort", () => resolve({ done: true, value: undefined }))
  );
  while (true) {
    const { done, value } = await Promise.race([reader.read(), stopped]);
    if (done) break;
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "" && !stop.aborted) yield rest;
}
