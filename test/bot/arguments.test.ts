import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  FORMS,
  readArticleId,
  readBudgetWish,
  readDays,
  readRecover,
  readSessionNumber,
  readSessionRequest,
} from "../../bot/arguments.ts";
import { UsageError } from "../../lib/errors.ts";

const request = (text: string) => readSessionRequest(text, FORMS.start_batch);

describe("what is typed behind /start_batch", () => {
  it.each([
    ["", {}],
    ["50", { limit: 50 }],
    ["50 0.10", { limit: 50, budget: 100_000 }],
    ["50 $0.10", { limit: 50, budget: 100_000 }],
    ["50 0,10", { limit: 50, budget: 100_000 }],
    ["0.10", { budget: 100_000 }],
    ["$2", { budget: 2_000_000 }],
    ["0.10 50", { limit: 50, budget: 100_000 }],
    ["50 1", { limit: 50, budget: 1_000_000 }],
    ["limit=50 budget=0.10 model=gemini-3.1-flash-lite research=top", {
      limit: 50,
      budget: 100_000,
      model: "gemini-3.1-flash-lite",
      research: "top",
    }],
    ["research=off limit=7", { limit: 7, research: "off" }],
    ["--limit=7 —budget=0.5", { limit: 7, budget: 500_000 }],
    ["50\n0.10", { limit: 50, budget: 100_000 }],
  ])("%j is read", (text, wanted) => {
    expect(request(text)).toEqual(wanted);
  });

  it.each([
    "abc",
    "0",
    "-5",
    "1e3",
    "50 0",
    "50 0.0",
    "50 0.1 0.2",
    "limit=50 limit=60",
    "limit=",
    "budget=free",
    "model=$(rm)",
    "research=maybe",
    "colour=red",
    "constructor=1",
    "__proto__=1",
    "99999999999",
    "5 0.00000001",
    "５",
  ])("%j is told in one line with the right form", (text) => {
    const error = (() => {
      try {
        request(text);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as UsageError;
    expect(message).toMatch(/^Cannot read “.+”.* Right: \/start_batch \[articles\] \[budget\]/);
    expect(message).not.toContain("\n");
  });

  it("whatever it is, is read or refused with a usage error, never otherwise", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        for (
          const read of [request, readRecover, readArticleId, readBudgetWish, (t: string) => readDays(t, 7)]
        ) {
          try {
            read(text);
          } catch (error) {
            expect(error).toBeInstanceOf(UsageError);
            expect((error as Error).message.length).toBeLessThan(400);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("what is typed behind other commands", () => {
  it("names a session, with or without a #", () => {
    const read = (text: string) => readSessionNumber(text, FORMS.session("pause"));
    expect([read(""), read("12"), read("#12")]).toEqual([null, 12, 12]);
    expect(() => read("12 13")).toThrow(/Right: \/pause \[session\], such as \/pause 12/);
    expect(() => read("0")).toThrow(UsageError);
  });

  it("names what to recover", () => {
    expect(readRecover("")).toEqual({ session: null, budget: null });
    expect(readRecover("12")).toEqual({ session: 12, budget: null });
    expect(readRecover("12 0.50")).toEqual({ session: 12, budget: 500_000 });
    expect(readRecover("12 budget=0.50")).toEqual({ session: 12, budget: 500_000 });
    expect(readRecover("0.50")).toEqual({ session: null, budget: 500_000 });
    expect(readRecover("all")).toEqual({ session: "all", budget: null });
    for (const wrong of ["all 0.5", "12 13.x", "12 0.5 0.6", "limit=3"]) {
      expect(() => readRecover(wrong), wrong).toThrow(/Right: \/recover/);
    }
  });

  it("names a budget to change, or none to only look", () => {
    expect(readBudgetWish("")).toBeNull();
    expect(readBudgetWish("session 0.50")).toEqual({ of: "session", number: null, to: 500_000 });
    expect(readBudgetWish("session #12 0.50")).toEqual({ of: "session", number: 12, to: 500_000 });
    expect(readBudgetWish("Day 2")).toEqual({ of: "day", to: 2_000_000 });
    expect(readBudgetWish("day off")).toEqual({ of: "day", to: null });
    expect(readBudgetWish("day reset")).toEqual({ of: "day", to: "configured" });
    for (
      const wrong of ["month 5", "session", "session off", "session x 1", "session 1 2 3", "day 0", "day 1 2"]
    ) {
      expect(() => readBudgetWish(wrong), wrong).toThrow(/Right: \/budget/);
    }
  });

  it("names an article, and days", () => {
    expect(readArticleId("#42")).toBe(42);
    expect(() => readArticleId("")).toThrow(/Which article\? \/analysis/);
    expect([readDays("", 7), readDays("30", 7), readDays("30d", 7)]).toEqual([7, 30, 30]);
    expect(() => readDays("366", 7)).toThrow(/1 to 365/);
  });
});
