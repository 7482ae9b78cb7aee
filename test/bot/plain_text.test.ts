import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanText, cutGraphemes, oneLine, someLines } from "../../bot/replies/plain_text.ts";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

describe("a text from outside", () => {
  it("loses what steers or hides text", () => {
    expect(oneLine("a\u202eb\u0000c\u2066d\u200be\ufeff", 50)).toBe("abcde");
    expect(oneLine("line\r\nbreak\tand\u2028more", 50)).toBe("line break and more");
    expect(oneLine(`Z${"\u0335".repeat(40)}algo`, 50)).toBe(`Z${"\u0335".repeat(3)}algo`);
  });

  it("offers no command, mention or hashtag to a thumb", () => {
    for (const text of ["/cancel 12", "see /start_batch@bot", "@somebody", "#topic", "t/x"]) {
      expect(cleanText(text)).not.toMatch(/[/@#]\w/);
      expect(cleanText(text).replaceAll("\u2060", "")).toBe(text);
    }
  });

  it("is closed off when it runs from right to left", () => {
    expect(oneLine("שלום 12", 50)).toBe("\u2068שלום 12\u2069");
  });

  it("keeps emoji and scripts whole when it is cut", () => {
    const family = "👩‍👩‍👧‍👦";
    expect(cutGraphemes(`ab${family.repeat(5)}`, 18)).toBe(`ab${family}${family}…`);
    expect(cutGraphemes("short", 5)).toBe("short");
  });

  it("is never longer than it may be, however it is made", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.string({ unit: "grapheme", maxLength: 300 }),
      fc.constant("👩" + "\u200d👩".repeat(3_000)),
      fc.constant("a\u0301".repeat(10_000)),
    );
    fc.assert(fc.property(texts, fc.integer({ min: 2, max: 80 }), (text, most) => {
      for (const cut of [oneLine(text, most), someLines(text, most)]) {
        expect(cut.isWellFormed()).toBe(true);
        // Two more for the isolates around right-to-left text.
        expect([...graphemes.segment(cut)].length).toBeLessThanOrEqual(most + 2);
        expect(cut.length).toBeLessThanOrEqual(most * 2 + 3);
      }
      expect(oneLine(text, most)).not.toMatch(/\p{Cc}|[\u202a-\u202e]/u);
    }));
  });

  it("of 200,000 characters is dealt with at once", () => {
    const before = performance.now();
    oneLine("e\u0301👍🏽 ".repeat(50_000), 90);
    expect(performance.now() - before).toBeLessThan(500);
  });
});
