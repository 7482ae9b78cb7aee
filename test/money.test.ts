import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactUsd, formatUsd, micros, microsFromPrice, parseUsd, scaleUp } from "../lib/money.ts";

describe("money", () => {
  it("is read from a person's text digit by digit", () => {
    expect(parseUsd("0.30")).toBe(300_000);
    expect(parseUsd("$5")).toBe(5_000_000);
    expect(parseUsd("0.0013")).toBe(1_300);
    expect(parseUsd("0.000001")).toBe(1);
  });

  it("refuses signs, exponents, words and more than six decimals", () => {
    for (const text of ["-1", "1e3", "abc", "", "0.0000001", "1,5", "NaN", ".5", "5."]) {
      expect(parseUsd(text), text).toBeNull();
    }
  });

  it("never holds a fraction of a micro-dollar", () => {
    expect(() => micros(0.5)).toThrow(/whole number/);
    expect(() => micros(2 ** 53)).toThrow(/whole number/);
  });

  it("rounds a computed price up, but not for binary noise", () => {
    expect(microsFromPrice(0)).toBe(0);
    expect(microsFromPrice(0.0003)).toBe(300);
    expect(microsFromPrice(0.0000369)).toBe(37);
    expect(() => microsFromPrice(-1)).toThrow(/price/);
    expect(() => microsFromPrice(NaN)).toThrow(/price/);
  });

  it("prints what is stored, cut and never rounded up", () => {
    expect(formatUsd(micros(299_999))).toBe("$0.2999");
    expect(formatUsd(micros(1_999_999))).toBe("$1.99");
    expect(formatUsd(micros(37))).toBe("$0.000037");
    expect(formatUsd(micros(0))).toBe("$0.0000");
    expect(formatUsd(micros(-300_000))).toBe("-$0.3000");
    expect(formatUsd(micros(1_234_000_000))).toBe("$1,234.00");
  });

  it("survives the way to exact text and back for every amount", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), (n) => {
      expect(parseUsd(exactUsd(micros(n)))).toBe(n);
    }));
  });

  it("scales up without floating point", () => {
    expect(scaleUp(micros(1001), 1500, 1000)).toBe(1502);
    expect(scaleUp(micros(9_000_000_000_000_000), 1, 3)).toBe(3_000_000_000_000_000);
  });
});
