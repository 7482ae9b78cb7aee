import pc from "picocolors";
import { describe, expect, it } from "vitest";
import { LocalChat, type LocalMessage } from "../../../bot/console/local_chat.ts";
import { renderBrief, renderMessage, styleText } from "../../../bot/console/render_message.ts";

const colors = pc.createColors(true);
const plain = pc.createColors(false);

function options(columns: number) {
  const chat = new LocalChat(1);
  return {
    chat,
    colors: plain,
    columns,
    numberOf: (...of: Parameters<LocalChat["numberOf"]>) => chat.numberOf(...of),
  };
}

function message(chat: LocalChat, parts: Partial<LocalMessage>): LocalMessage {
  return chat.add({ text: "", entities: [], keyboard: [], picture: null, date: 0, ...parts });
}

describe("formatting", () => {
  it("turns into colours, also where it overlaps and runs over several lines", () => {
    const styled = styleText("one two\nthree", [
      { type: "bold", offset: 0, length: 13 },
      { type: "code", offset: 4, length: 3 },
    ], colors);
    expect(styled).toBe(
      `${colors.bold("one ")}${colors.cyan(colors.bold("two"))}\n${colors.bold("three")}`,
    );
  });

  it("counts in UTF-16, as Telegram does", () => {
    const styled = styleText("🚀🚀 go", [{ type: "bold", offset: 5, length: 2 }], colors);
    expect(styled).toBe(`🚀🚀 ${colors.bold("go")}`);
  });

  it("says a link's address once, behind all of its text", () => {
    const link = { type: "text_link", offset: 0, length: 8, url: "https://a.example/" } as const;
    const styled = styleText("the page", [link, { type: "bold", offset: 0, length: 3 }], plain);
    expect(styled).toBe("the page (https://a.example/)");
  });

  it("marks each line of a quote", () => {
    const styled = styleText("So:\none\ntwo", [{ type: "blockquote", offset: 4, length: 7 }], plain);
    expect(styled).toBe("So:\n│ one\n│ two");
  });

  it("marks every row of a quote that is folded, and its empty ones", () => {
    const { chat, ...rest } = options(24);
    const text = `${"word ".repeat(6).trim()}\n\nend`;
    const quote = { type: "expandable_blockquote", offset: 0, length: text.length } as const;
    expect(renderMessage(message(chat, { text, entities: [quote] }), rest)).toEqual([
      "▎ │ word word word word",
      "▎ │ word word",
      "▎ │",
      "▎ │ end",
    ]);
  });
});

describe("what a source wrote", () => {
  it("cannot move the cursor, name the window, turn the text around or hide it", () => {
    const { chat, ...rest } = options(80);
    const hostile = "\u001b[2J\u001b]0;owned\u0007title\u202e\u2066\u009b31m";
    const shown = renderMessage(
      message(chat, {
        text: hostile,
        keyboard: [[{ text: hostile, callback_data: "x" }, {
          text: hostile,
          url: `https://e.example/${hostile}`,
        }]],
        picture: `/tmp/${hostile}.png`,
      }),
      rest,
    ).join("\n");
    // deno-lint-ignore no-control-regex -- it is what must not be there
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect(shown).toContain("title");
  });

  it("keeps colours out of a formatted piece's own text", () => {
    const styled = styleText("a\u001b[0mb", [{ type: "bold", offset: 0, length: 6 }], colors);
    expect(styled).toBe(colors.bold("a[0mb"));
  });
});

describe("a message", () => {
  it("fits the terminal: long lines are folded at words, indented ones stay indented", () => {
    const { chat, ...rest } = options(30);
    const rows = renderMessage(
      message(chat, { text: `${"word ".repeat(12).trim()}\n  ${"x".repeat(40)}` }),
      rest,
    );
    expect(rows.every((row) => row.length < 30)).toBe(true);
    expect(rows).toEqual([
      "▎ word word word word word",
      "▎ word word word word word",
      "▎ word word",
      `▎   ${"x".repeat(25)}`,
      `▎   ${"x".repeat(15)}`,
    ]);
  });

  it("keeps its empty lines", () => {
    const { chat, ...rest } = options(80);
    expect(renderMessage(message(chat, { text: "a\n\nb" }), rest)).toEqual(["▎ a", "▎", "▎ b"]);
  });

  it("leaves tables as they are", () => {
    const { chat, ...rest } = options(80);
    const rows = renderMessage(
      message(chat, { text: "  1  COMPLETED   $0.0070\n 12  FAILED      $0.0001" }),
      rest,
    );
    expect(rows).toEqual(["▎   1  COMPLETED   $0.0070", "▎  12  FAILED      $0.0001"]);
  });

  it("shows each button with its number, and an address where there is one", () => {
    const { chat, ...rest } = options(80);
    const keyboard = [
      [{ text: "Start", callback_data: "a" }, { text: "Cancel", callback_data: "b" }],
      [{ text: "Read", url: "https://a.example/1" }],
    ];
    expect(renderMessage(message(chat, { text: "Sure?", keyboard }), rest)).toEqual([
      "▎ Sure?",
      "▎ [1] Start  [2] Cancel",
      "▎ Read: https://a.example/1",
    ]);
  });

  it("is told in one row when it has scrolled away", () => {
    const { chat, ...rest } = options(40);
    const row = renderBrief(message(chat, { text: `Session 1\n\n▓▓▓░░ 60 %\n\nRead   3 of 5` }), rest);
    expect(row).toBe("▎ Session 1 · ▓▓▓░░ 60 % · Read 3 of 5");
    const cut = renderBrief(message(chat, { text: `Session 1\n${"more ".repeat(50)}` }), rest);
    expect(cut).toBe("▎ Session 1 · more more more more more…");
  });
});

describe("a button's number", () => {
  it("stays with the button as long as its message has it, and is never given to another one", () => {
    const chat = new LocalChat(1);
    const [start, cancel] = [{ text: "Start", callback_data: "a" }, { text: "Cancel", callback_data: "b" }];
    const asked = message(chat, { keyboard: [[start, cancel]] });
    const alert = message(chat, { keyboard: [[{ text: "Mute", callback_data: "a" }]] });
    expect([chat.numberOf(asked, start), chat.numberOf(asked, cancel)]).toEqual([1, 2]);
    expect(chat.numberOf(alert, alert.keyboard[0]![0] as typeof start)).toBe(3);
    expect(chat.numberOf(asked, cancel)).toBe(2);
    expect(chat.press(2)).toEqual({ message: asked, data: "b" });
    asked.keyboard = [];
    expect(chat.press(2)).toBeNull();
    expect(chat.press(4)).toBeNull();
  });
});
