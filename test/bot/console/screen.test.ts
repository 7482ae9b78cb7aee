import pc from "picocolors";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { LocalChat, type LocalMessage } from "../../../bot/console/local_chat.ts";
import { Screen } from "../../../bot/console/screen.ts";
import type { Terminal } from "../../../bot/console/terminal.ts";

interface Printed {
  text: string;
  over: number;
}

let printed: Printed[];
let chat: LocalChat;
let screen: Screen;
let size: { columns: number; rows: number };

function open(interactive: boolean): void {
  printed = [];
  chat = new LocalChat(1);
  size = { columns: 60, rows: 20 };
  const terminal: Terminal = {
    interactive,
    get columns() {
      return size.columns;
    },
    get rows() {
      return size.rows;
    },
    lines: (async function* () {})(),
    print: (text, over = 0) => printed.push({ text, over }),
    complete() {},
    close() {},
  };
  screen = new Screen(terminal, chat, pc.createColors(false));
}

function show(text: string): LocalMessage {
  const message = chat.add({ text, entities: [], keyboard: [], picture: null, date: 0 });
  screen.show(message);
  return message;
}

function edit(message: LocalMessage, text: string, buttons: string[] = []): void {
  const was = { ...message };
  message.text = text;
  message.keyboard = buttons.map((label) => [{ text: label, callback_data: label }]);
  screen.edit(message, was);
}

describe("at a terminal", () => {
  beforeEach(() => open(true));

  it("the newest message is edited where it stands, over exactly its rows", () => {
    const message = show("3 of 5\nsecond row");
    edit(message, "5 of 5\nsecond row\nthird row");
    edit(message, "done");
    expect(printed).toEqual([
      { text: "▎ 3 of 5\n▎ second row\n", over: 0 },
      { text: "▎ 5 of 5\n▎ second row\n▎ third row\n", over: 3 },
      { text: "▎ done\n", over: 4 },
    ]);
  });

  it("a message that has scrolled away is told in one row, which is then edited in its place", () => {
    const progress = show("Session 1\n3 of 5\nmore");
    show("another one");
    edit(progress, "Session 1\n4 of 5\nmore");
    edit(progress, "Session 1\n5 of 5\nmore");
    expect(printed.slice(2)).toEqual([
      { text: "▎ Session 1 · 4 of 5 · more\n", over: 0 },
      { text: "▎ Session 1 · 5 of 5 · more\n", over: 2 },
    ]);
  });

  it("a message that somebody pressed, or that has new buttons, is told in full", () => {
    const question = show("Start?");
    screen.typed("1");
    screen.pressed(question);
    edit(question, "Started\nby you");
    screen.typed("/status");
    edit(question, "Ended\nwell", ["Details"]);
    expect(printed.slice(1)).toEqual([
      { text: "▎ Started\n▎ by you\n", over: 0 },
      { text: "▎ Ended\n▎ well\n▎ [1] Details\n", over: 0 },
    ]);
  });

  it("nothing is printed over once the terminal has another width, or is lower than the message", () => {
    const message = show("3 of 5");
    size.columns = 50;
    edit(message, "4 of 5");
    size.rows = 3;
    edit(message, "5 of 5");
    expect(printed.map(({ over }) => over)).toEqual([0, 0, 0]);
  });
});

describe("in a script", () => {
  beforeEach(() => open(false));

  it("what is typed is told too, edits come now and then, and the last one always", () => {
    screen.typed("/start_batch");
    const progress = show("Session 1\n0 of 5");
    for (let n = 1; n <= 5; n++) edit(progress, `Session 1\n${n} of 5`);
    expect(printed.map(({ text }) => text)).toEqual(["> /start_batch\n", "▎ Session 1\n▎ 0 of 5\n"]);
    screen.flush();
    screen.flush();
    expect(printed.slice(2)).toEqual([{ text: "▎ Session 1 · 5 of 5\n", over: 0 }]);
  });

  it("an edit that was held back is told when nothing follows", () => {
    vi.useFakeTimers();
    try {
      open(false);
      const progress = show("Session 1\n0 of 5");
      edit(progress, "Session 1\n1 of 5");
      edit(progress, "Session 1\n2 of 5");
      vi.advanceTimersByTime(9_000);
      expect(printed).toHaveLength(1);
      vi.advanceTimersByTime(1_000);
      expect(printed.slice(1)).toEqual([{ text: "▎ Session 1 · 2 of 5\n", over: 0 }]);
      screen.flush();
      expect(printed).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });
});
