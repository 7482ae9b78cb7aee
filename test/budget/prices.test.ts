import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findPrice, PRICE_LIST, requirePrice } from "../../lib/budget/prices.ts";
import { UserError } from "../../lib/errors.ts";
import { micros } from "../../lib/money.ts";

const AUTUMN_2026 = new Date("2026-11-01T00:00:00Z");
/** Dollars per million tokens. */
const LISTED = [
  { model: "gemini-3.5-flash-lite", input: 0.3, cached: 0.03, output: 2.5 },
  { model: "gemini-3.1-flash-lite", input: 0.25, cached: 0.025, output: 1.5 },
  { model: "gemini-2.5-flash", input: 0.3, cached: 0.03, output: 2.5 },
  { model: "gemini-3.8-flash", input: 0.75, cached: 0.075, output: 3.75 },
];
const MILLION = 1_000_000;

function costAt(model: string, date: string): number {
  return requirePrice(model, new Date(date), null).cost({ inputTokens: 1_000, outputTokens: 100 });
}

it("the date of the price list is that of the version which is pinned", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  // Another version has another date: `npm view @pydantic/genai-prices time` says it.
  expect(imports["@pydantic/genai-prices"]).toBe(`npm:@pydantic/genai-prices@${PRICE_LIST.version}`);
  expect(PRICE_LIST.published).toMatch(/^20\d\d-\d\d-\d\d$/);
});

const tokens = fc.record({
  inputTokens: fc.nat(2 * MILLION),
  outputTokens: fc.nat(70_000),
  cachedTokens: fc.nat(2 * MILLION),
});
const anyPrice = fc.oneof(
  fc.constantFrom(...LISTED).map(({ model }) => requirePrice(model, AUTUMN_2026, null)),
  fc.record({ input: fc.nat(100 * MILLION), output: fc.nat(100 * MILLION) }).map(({ input, output }) =>
    requirePrice("anything", AUTUMN_2026, { input: micros(input), output: micros(output) })
  ),
);

describe("the price list", () => {
  for (const { model, input, cached, output } of LISTED) {
    it(`knows what ${model} costs for text, cached text and answers`, () => {
      const price = requirePrice(model, AUTUMN_2026, null);
      expect(price).toMatchObject({ model, perMillion: { input, output }, source: "price list" });
      expect(price.cost({ inputTokens: MILLION, outputTokens: 0 })).toBe(input * MILLION);
      expect(price.cost({ inputTokens: 0, outputTokens: MILLION })).toBe(output * MILLION);
      expect(price.cost({ inputTokens: MILLION, outputTokens: 0, cachedTokens: MILLION })).toBe(
        cached * MILLION,
      );
    });
  }

  it("has dates: gemini-3.8-flash costs twice as much from 2027 on", () => {
    expect(costAt("gemini-3.8-flash", "2026-12-31T23:00:00Z")).toBe(1_125);
    expect(costAt("gemini-3.8-flash", "2027-01-02T00:00:00Z")).toBe(2_250);
  });

  it("prices a preview by the model it is a preview of", () => {
    expect(findPrice("gemini-3.1-flash-lite-preview", AUTUMN_2026)?.model).toBe("gemini-3.1-flash-lite");
  });

  it("does not know every name, and a session with such a model is refused with what to do about it", () => {
    expect(findPrice("gemini-99-ultra", AUTUMN_2026)).toBeNull();
    expect(() => requirePrice("gemini-99-ultra", AUTUMN_2026, null)).toThrow(UserError);
    expect(() => requirePrice("gemini-99-ultra", AUTUMN_2026, null)).toThrow(
      /^Cannot price the model gemini-99-ultra: .* GEMINI_MODEL, or set GEMINI_PRICE_USD=input\/output/,
    );
  });
});

describe("a price set by hand", () => {
  const byHand = { input: micros(100_000), output: micros(333_333) };

  it("wins over the list and covers models that no list knows", () => {
    expect(requirePrice("gemini-3.5-flash-lite", AUTUMN_2026, byHand)).toMatchObject({
      perMillion: { input: 0.1, output: 0.333333 },
      source: "set by hand",
    });
    expect(requirePrice("made-up", AUTUMN_2026, byHand).model).toBe("made-up");
  });

  it("is multiplied in whole numbers and rounded up, however many tokens there are", () => {
    const price = requirePrice("made-up", AUTUMN_2026, byHand);
    expect(price.cost({ inputTokens: 1, outputTokens: 0 })).toBe(1);
    expect(price.cost({ inputTokens: 10, outputTokens: 0 })).toBe(1);
    expect(price.cost({ inputTokens: 11, outputTokens: 0 })).toBe(2);
    expect(price.cost({ inputTokens: 0, outputTokens: 3_000_000 })).toBe(999_999);
    expect(price.cost({ inputTokens: 0, outputTokens: 3_000_001 })).toBe(1_000_000);
    expect(price.cost({ inputTokens: 9_007_199_254, outputTokens: 0 })).toBe(900_719_926);
  });
});

describe("the cost of tokens", () => {
  it("is never a fraction, never negative, and nothing only for nothing", () => {
    fc.assert(fc.property(anyPrice, tokens, (price, usage) => {
      const cost = price.cost(usage);
      expect(Number.isSafeInteger(cost)).toBe(true);
      expect(cost).toBeGreaterThanOrEqual(0);
    }));
    for (const { model } of LISTED) {
      const price = requirePrice(model, AUTUMN_2026, null);
      expect(Math.abs(price.cost({ inputTokens: 0, outputTokens: 0 }))).toBe(0);
      expect(price.cost({ inputTokens: 1, outputTokens: 0 })).toBe(1);
      expect(price.cost({ inputTokens: 0, outputTokens: 1 })).toBeGreaterThanOrEqual(1);
    }
  });

  it("never falls when there are more tokens, and never rises when more of them were cached", () => {
    fc.assert(fc.property(anyPrice, tokens, fc.nat(10_000), (price, usage, more) => {
      const cost = price.cost(usage);
      expect(price.cost({ ...usage, inputTokens: usage.inputTokens + more })).toBeGreaterThanOrEqual(cost);
      expect(price.cost({ ...usage, outputTokens: usage.outputTokens + more })).toBeGreaterThanOrEqual(cost);
      expect(price.cost({ ...usage, cachedTokens: usage.cachedTokens + more })).toBeLessThanOrEqual(cost);
    }));
  });

  it("is at most a micro-dollar above the exact one", () => {
    fc.assert(fc.property(fc.constantFrom(...LISTED), tokens, ({ model, input, output }, usage) => {
      const cost = requirePrice(model, AUTUMN_2026, null).cost({ ...usage, cachedTokens: 0 });
      const exact = usage.inputTokens * input + usage.outputTokens * output;
      expect(cost - exact).toBeGreaterThan(-1e-3);
      expect(cost - exact).toBeLessThan(1.001);
    }));
  });
});
