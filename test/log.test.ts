import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLog, type LogLevel } from "../lib/log.ts";

function capture(secrets: string[], level: LogLevel = "debug") {
  const lines: string[] = [];
  return { lines, log: createLog({ level, secrets, write: (line) => lines.push(line) }) };
}

function readAll(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [String(value)];
  return Object.entries(value).flatMap(([key, item]) => [key, ...readAll(item)]);
}

describe("the log", () => {
  it("writes one JSON line an event, with time, level, fields and message", () => {
    const { lines, log } = capture([]);
    log("warn", { article: 7, note: "two\nlines" }, 'look "here"');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(lines[0])).toEqual({
      level: "warn",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      article: 7,
      note: "two\nlines",
      msg: 'look "here"',
    });
  });

  it("leaves out what is below its level", () => {
    const { lines, log } = capture([], "warn");
    log("info", {}, "quiet");
    log("error", {}, "loud");
    expect(lines).toHaveLength(1);
  });

  it("cuts secrets out of messages, fields, names of fields and nested values, also inside URLs", () => {
    const { lines, log } = capture(["key/with+signs", "passw0rd"]);
    log("info", {
      error: "401 for https://host/v1?key=key%2Fwith%2Bsigns&x=1",
      "passw0rd": 1,
      deep: [{ headers: { "x-goog-api-key": "key/with+signs" } }],
      quoted: JSON.stringify({ password: "passw0rd" }),
    }, "refused key/with+signs for postgres://desk:passw0rd@host");
    expect(JSON.parse(lines[0])).toMatchObject({
      error: "401 for https://host/v1?key=[secret]&x=1",
      "[secret]": 1,
      deep: [{ headers: { "x-goog-api-key": "[secret]" } }],
      quoted: '{"password":"[secret]"}',
      msg: "refused [secret] for postgres://desk:[secret]@host",
    });
  });

  it("leaves no end of a secret that begins like another one", () => {
    const { lines, log } = capture(["secret-key", "secret-key-of-the-other"]);
    log("info", {}, "got secret-key-of-the-other");
    expect(JSON.parse(lines[0]).msg).toBe("got [secret]");
  });

  it("stays valid JSON when a secret is a number", () => {
    const { lines, log } = capture(["123456"]);
    log("info", { tokens: 123456, near: 99 }, "used 123456");
    expect(JSON.parse(lines[0])).toMatchObject({ tokens: "[secret]", near: 99, msg: "used [secret]" });
  });

  it("ignores secrets too short to be told from ordinary text", () => {
    const { lines, log } = capture(["nd", ""]);
    log("info", {}, "and so on");
    expect(JSON.parse(lines[0]).msg).toBe("and so on");
  });

  it("shows no secret and stays valid JSON whatever the secret and the text are", () => {
    const secret = fc.oneof(
      fc.string({ minLength: 6, maxLength: 20, unit: "grapheme" }),
      fc.stringMatching(/^[{}":,\\%+/ \n0-9]{6,12}$/),
    );
    fc.assert(fc.property(secret, fc.string(), fc.string(), (key, before, after) => {
      // A replacement may complete the secret with the text around it only if the secret shares its letters.
      fc.pre(![..."[secret]"].some((letter) => key.includes(letter)));
      const { lines, log } = capture([key]);
      log("info", { field: before + key + after, list: [key, encodeURIComponent(key)] }, `${before}${key}`);
      const { time: _, ...line } = JSON.parse(lines[0]);
      for (const text of readAll(line)) expect(text).not.toContain(key);
    }));
  });
});
