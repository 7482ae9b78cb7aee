import { FormattedString } from "@grammyjs/parse-mode";
import fc from "fast-check";
import type { MessageEntity } from "grammy/types";
import { describe, expect, it } from "vitest";
import { MAX_ENTITIES, MAX_TEXT, splitMessage } from "../../bot/split_message.ts";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Letters, line breaks, emoji with joiners and skin tones, combining marks, right-to-left. */
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "word", " ", "\n", "\n\n", ". ") },
  { weight: 2, arbitrary: fc.constantFrom("👩‍👩‍👧‍👦", "👍🏽", "🇩🇪", "é", "שלום", "\u{1F9D1}\u200D\u{1F680}") },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 12 }) },
);

interface Case {
  message: FormattedString;
  limit: number;
}

/** Texts with entities as `fmt` makes them: whole pieces, one behind the other, some very long. */
const cases: fc.Arbitrary<Case> = fc.record({
  runs: fc.array(
    fc.record({
      text: fc.array(piece, { minLength: 1, maxLength: 40 }).map((parts) => parts.join("")),
      type: fc.constantFrom("bold", "pre", "blockquote", "code", null),
    }),
    { maxLength: 12 },
  ),
  limit: fc.integer({ min: 40, max: 200 }),
}).map(({ runs, limit }) => {
  let text = "";
  const entities: MessageEntity[] = [];
  for (const run of runs) {
    if (run.type !== null) {
      entities.push({ type: run.type, offset: text.length, length: run.text.length } as MessageEntity);
    }
    text += run.text;
  }
  return { message: new FormattedString(text, entities), limit };
});

function cutsOf(parts: readonly FormattedString[]): number[] {
  const cuts: number[] = [];
  let at = 0;
  for (const part of parts.slice(0, -1)) cuts.push(at += part.text.length);
  return cuts;
}

describe("a long message", () => {
  it("has parts that are the text again, none of them too long or empty", () => {
    fc.assert(
      fc.property(cases, ({ message, limit }) => {
        const parts = splitMessage(message, limit);
        expect(parts.map(({ text }) => text).join("")).toBe(message.text);
        for (const { text } of parts) {
          expect(text.length).toBeLessThanOrEqual(limit);
          expect(text.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("is never cut inside a character as a person counts them, unless that one is longer than a message", () => {
    fc.assert(
      fc.property(cases, ({ message, limit }) => {
        const inside = new Set<number>();
        for (const { index, segment } of graphemes.segment(message.text)) {
          if (segment.length <= limit) {
            for (let at = index + 1; at < index + segment.length; at++) inside.add(at);
          }
        }
        for (const cut of cutsOf(splitMessage(message, limit))) expect(inside.has(cut)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is never cut inside an entity that fits a message", () => {
    fc.assert(
      fc.property(cases, ({ message, limit }) => {
        for (const cut of cutsOf(splitMessage(message, limit))) {
          for (const { offset, length } of message.entities) {
            if (length <= limit) expect(offset < cut && cut < offset + length).toBe(false);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("keeps every character's formatting, also in an entity that had to be divided", () => {
    fc.assert(
      fc.property(cases, ({ message, limit }) => {
        const kinds = (text: string, entities: readonly MessageEntity[]) =>
          Array.from(
            { length: text.length },
            (_, at) =>
              entities.filter(({ offset, length }) => offset <= at && at < offset + length).map(({ type }) =>
                type
              )
                .join(),
          );
        const parts = splitMessage(message, limit);
        expect(parts.flatMap(({ text, entities }) => kinds(text, entities))).toEqual(
          kinds(message.text, message.entities),
        );
        for (const { text, entities } of parts) {
          for (const { offset, length } of entities) expect(offset + length).toBeLessThanOrEqual(text.length);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("is not cut between a space and the mark that stands on it", () => {
    const marked = new FormattedString("word \u0301".repeat(60));
    for (const { text } of splitMessage(marked, 50)) expect(text).not.toMatch(/^\u0301/);
  });

  it("does not cut a surrogate pair even in an endless character", () => {
    const endless = "👩" + "\u200d👩".repeat(200);
    for (const { text } of splitMessage(new FormattedString(endless), 50)) {
      expect(text.isWellFormed()).toBe(true);
    }
  });

  it("pauses where a reader would: paragraphs before lines before spaces", () => {
    const paragraph = `${"word ".repeat(15).trim()}.`;
    const parts = splitMessage(new FormattedString(`${paragraph}\n\n${paragraph}\n\n${paragraph}`), 170);
    expect(parts.map(({ text }) => text)).toEqual([`${paragraph}\n\n${paragraph}\n\n`, paragraph]);
  });

  it("has no more entities in a part than Telegram heeds", () => {
    const many = Array.from(
      { length: 250 },
      (_, n) => ({ type: "bold", offset: n * 4, length: 2 }) as MessageEntity,
    );
    const parts = splitMessage(new FormattedString("ab. ".repeat(250), many));
    expect(parts.every(({ entities }) => entities.length <= MAX_ENTITIES)).toBe(true);
    expect(parts.flatMap(({ entities }) => entities)).toHaveLength(250);
  });

  it("stays one part up to the limit, and an empty one has none", () => {
    expect(splitMessage(new FormattedString("x".repeat(MAX_TEXT)))).toHaveLength(1);
    expect(splitMessage(new FormattedString("x".repeat(MAX_TEXT + 1)))).toHaveLength(2);
    expect(splitMessage(new FormattedString(""))).toEqual([]);
  });
});
