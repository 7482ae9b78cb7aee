import { describe, expect, it } from "vitest";
import { readModelVersion, readUsage } from "../../lib/analysis/gemini/read_usage.ts";

describe("usage", () => {
  it("counts thoughts as output and tool prompts as input", () => {
    expect(readUsage({
      promptTokenCount: 1000,
      cachedContentTokenCount: 400,
      toolUsePromptTokenCount: 50,
      candidatesTokenCount: 300,
      thoughtsTokenCount: 20,
      totalTokenCount: 1370,
    })).toEqual({ inputTokens: 1050, outputTokens: 320, thoughtTokens: 20, cachedTokens: 400 });
  });

  it("takes a missing output from the total", () => {
    expect(readUsage({ promptTokenCount: 1000, totalTokenCount: 1000 })).toMatchObject({ outputTokens: 0 });
    expect(readUsage({ promptTokenCount: 1000, totalTokenCount: 1300 })).toMatchObject({ outputTokens: 300 });
  });

  it("never understates when the total says more than its parts", () => {
    expect(readUsage({ promptTokenCount: 100, candidatesTokenCount: 10, totalTokenCount: 200 }))
      .toMatchObject({ inputTokens: 100, outputTokens: 100 });
  });

  it("gives no discount for more cached tokens than were sent", () => {
    expect(readUsage({ promptTokenCount: 100, candidatesTokenCount: 1, cachedContentTokenCount: 101 }))
      .toMatchObject({ cachedTokens: 0 });
  });

  it.each([
    undefined,
    null,
    "many",
    {},
    { promptTokenCount: 100 },
    { candidatesTokenCount: 100, totalTokenCount: 200 },
    { promptTokenCount: 0, candidatesTokenCount: 5 },
    { promptTokenCount: -1, candidatesTokenCount: 5 },
    { promptTokenCount: 1.5, candidatesTokenCount: 5 },
    { promptTokenCount: "100", candidatesTokenCount: 5 },
    { promptTokenCount: 2 ** 60, candidatesTokenCount: 5 },
    { promptTokenCount: 100, candidatesTokenCount: 1e9 },
    { promptTokenCount: 100, candidatesTokenCount: 5, thoughtsTokenCount: -5 },
  ])("is unknown, not guessed, for %j", (metadata) => {
    expect(readUsage(metadata)).toBeNull();
  });
});

describe("the model that answered", () => {
  it("is read with and without its folder, and only as a plain name", () => {
    expect(readModelVersion("gemini-3.1-flash-lite")).toBe("gemini-3.1-flash-lite");
    expect(readModelVersion("models/gemini-3.1-flash-lite")).toBe("gemini-3.1-flash-lite");
    for (const odd of [undefined, 7, "", "a b", "x".repeat(81), "<script>"]) {
      expect(readModelVersion(odd)).toBeNull();
    }
  });
});
