import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanText, cleanTitle, MAX_TITLE_CHARS, titleFromBody } from "../../lib/articles/clean_text.ts";
import { detectLanguage, normalizeLanguage } from "../../lib/articles/detect_language.ts";
import { normalizeArticleUrl } from "../../lib/articles/normalize_article_url.ts";
import { parseDate } from "../../lib/articles/parse_date.ts";
import { sentences } from "./collect.ts";

const NOW = new Date("2026-06-01T00:00:00Z");

describe("text on its way in", () => {
  it("loses control characters, lone surrogates and what nobody sees", () => {
    expect(cleanText("a\0b\u0007c\ud800d\u200be\u202ef\ufeffg")).toBe("abcdefg");
    expect(cleanText("👩‍👩‍👧 می‌خواهم")).toBe("👩‍👩‍👧 می‌خواهم");
  });

  it("is NFC with one blank line between paragraphs at most and no trailing spaces", () => {
    expect(cleanText("\n\ne\u0301  \r\n\r\n\r\n\r\nb\u00a0c\t\n ")).toBe("é\n\nb c");
  });

  it("is clean after one cleaning", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      const once = cleanText(text);
      expect(cleanText(once)).toBe(once);
      expect(once.isWellFormed()).toBe(true);
    }));
  });

  it("has a title of one line that is cut between graphemes", () => {
    expect(cleanTitle(" Two\n  lines ")).toBe("Two lines");
    const flags = cleanTitle("🇨🇭".repeat(1_000));
    expect(flags.length).toBeLessThanOrEqual(MAX_TITLE_CHARS);
    expect(flags).toMatch(/^(?:🇨🇭)+…$/u);
    expect(cleanTitle("a\u0301\u0302".repeat(1) + "\u0301".repeat(2_000)).length).toBeLessThanOrEqual(
      MAX_TITLE_CHARS,
    );
    fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 900 }), (text) => {
      const title = cleanTitle(text);
      expect(title.length).toBeLessThanOrEqual(MAX_TITLE_CHARS);
      expect(title.isWellFormed()).toBe(true);
    }));
  });

  it("lends its first words to an article without a title", () => {
    expect(titleFromBody("Short.")).toBe("Short.");
    const title = titleFromBody(sentences(5));
    expect(title.length).toBeLessThanOrEqual(81);
    expect(title).toMatch(/^The node number 0 .+\w…$/);
  });
});

describe("dates", () => {
  it("are read as feeds write them, in UTC when they name no zone", () => {
    const read = (value: unknown) => parseDate(value, NOW)?.toISOString() ?? null;
    expect(read("Wed, 02 Oct 2002 13:00:00 GMT")).toBe("2002-10-02T13:00:00.000Z");
    expect(read("Wed, 02 Oct 2002 13:00:00 EST")).toBe("2002-10-02T18:00:00.000Z");
    expect(read("2020-01-01 10:00:00 -0500")).toBe("2020-01-01T15:00:00.000Z");
    for (const text of ["2020-01-01 10:00:00", "2020-01-01T10:00:00", "Wed, 01 Jan 2020 10:00:00"]) {
      expect(read(text), text).toBe("2020-01-01T10:00:00.000Z");
    }
    for (const text of ["2020-01-01", "Jan 1, 2020", 1_577_836_800, 1_577_836_800_000]) {
      expect(read(text), String(text)).toBe("2020-01-01T00:00:00.000Z");
    }
  });

  it("that say nothing, lie before 1970 or more than two days ahead are no dates", () => {
    for (
      const value of [
        "",
        "soon",
        null,
        undefined,
        {},
        NaN,
        0,
        "0001-01-01T00:00:00Z",
        "2026-06-04",
        "9999-01-01",
      ]
    ) {
      expect(parseDate(value, NOW), String(value)).toBeNull();
    }
    expect(parseDate("2026-06-02", NOW)).not.toBeNull();
  });
});

describe("languages", () => {
  it("that are declared are brought to two letters", () => {
    expect(["en-US", "EN", "eng", "pt_BR", "x", "english language", "", 7].map(normalizeLanguage)).toEqual([
      "en",
      "en",
      "en",
      "pt",
      null,
      null,
      null,
      null,
    ]);
  });

  it("are detected in long texts only, and not where there is none", () => {
    expect(detectLanguage(sentences(5))).toBe("en");
    expect(
      detectLanguage(
        "Der Knoten leitet die Transaktion an seine Nachbarn weiter und wartet dann. ".repeat(5),
      ),
    ).toBe("de");
    expect(detectLanguage("The node relays.")).toBeNull();
    expect(detectLanguage("9f86d081884c7d659a2feaa0c55ad015 ".repeat(20))).toBeNull();
  });
});

describe("addresses", () => {
  it("of one article compare equal however they were spelled", () => {
    for (
      const spelling of [
        "http://www.example.org/a/?utm_source=x&b=2&a=1#part",
        "https://EXAMPLE.org:443/a?a=1&b=2&fbclid=9",
        " https://user:pass@example.org/x/../a/?b=2&a=1 ",
      ]
    ) {
      expect(normalizeArticleUrl(spelling), spelling).toBe("https://example.org/a?a=1&b=2");
    }
  });

  it("that are not of the web are none", () => {
    for (
      const text of [
        "",
        "/a",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:a@b",
        "example.org",
        "https://",
      ]
    ) {
      expect(normalizeArticleUrl(text), text).toBeNull();
    }
    expect(normalizeArticleUrl(`https://example.org/${"a".repeat(3_000)}`)).toBeNull();
  });
});
