import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paceCalls, SlidingWindow } from "../../bot/pace_calls.ts";

const GROUP = -100;

/** Calls that reach Telegram, and those that were answered in its place. */
function makePaced() {
  const passed: string[] = [];
  let at = 0;
  const pace = paceCalls(() => at);
  const call = async (method: "sendMessage" | "editMessageText" | "answerCallbackQuery", chat: number) => {
    const payload = { chat_id: chat, text: "x" } as never;
    const prev = () => {
      passed.push(`${method} ${chat}`);
      return Promise.resolve({ ok: true, result: true } as never);
    };
    return await pace(prev, method, payload);
  };
  return { passed, call, advance: (ms: number) => at += ms };
}

describe("calls to Telegram", () => {
  it("of a group are kept back from the 21st message and the 21st edit in a minute on, with a time to come back", async () => {
    const { passed, call, advance } = makePaced();
    for (let n = 0; n < 20; n++) {
      expect(await call("sendMessage", GROUP)).toMatchObject({ ok: true });
      expect(await call("editMessageText", GROUP)).toMatchObject({ ok: true });
      advance(1_100);
    }
    expect(await call("sendMessage", GROUP)).toMatchObject({
      ok: false,
      error_code: 429,
      parameters: { retry_after: 38 },
    });
    expect(await call("editMessageText", GROUP)).toMatchObject({ error_code: 429 });
    expect(passed).toHaveLength(40);
    advance(38_000);
    expect(await call("sendMessage", GROUP)).toMatchObject({ ok: true });
    // One chat's limit is nobody else's.
    expect(await call("sendMessage", -200)).toMatchObject({ ok: true });
  });

  it("of a private chat may be edited as often as one likes, and presses are always answered", async () => {
    const { passed, call } = makePaced();
    for (let n = 0; n < 50; n++) {
      await call("editMessageText", 5);
      await call("answerCallbackQuery", GROUP);
    }
    expect(passed).toHaveLength(100);
  });

  it("wait a moment where a moment is enough", async () => {
    const passed: number[] = [];
    const pace = paceCalls();
    const before = performance.now();
    await Promise.all(Array.from({ length: 4 }, () =>
      pace(
        () => {
          passed.push(performance.now() - before);
          return Promise.resolve({ ok: true, result: true } as never);
        },
        "sendMessage",
        { chat_id: 5, text: "x" } as never,
      )));
    expect(passed[2]).toBeLessThan(500);
    expect(passed[3]).toBeGreaterThan(2_500);
  });
});

it("a window forgets the chats that nothing is sent to any more", () => {
  const window = new SlidingWindow(20, 60_000);
  for (let chat = 0; chat < 1_000; chat++) window.take(String(chat), chat * 1_000);
  expect(window.size).toBeLessThanOrEqual(61);
});

it("a window never lets through more than it may, whenever one asks", () => {
  fc.assert(fc.property(
    fc.array(fc.nat(400), { minLength: 1, maxLength: 200 }),
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 1, max: 3_000 }),
    (pauses, most, windowMs) => {
      const window = new SlidingWindow(most, windowMs);
      const taken: number[] = [];
      let now = 0;
      for (const pause of pauses) {
        now += pause;
        const wait = window.waitMs("k", now);
        if (wait === 0) {
          window.take("k", now);
          taken.push(now);
        } else {
          // Not a moment too long: then there is room.
          expect(window.waitMs("k", now + wait)).toBe(0);
          expect(window.waitMs("k", now + wait - 1)).toBeGreaterThan(0);
        }
      }
      for (const at of taken) {
        expect(taken.filter((other) => other >= at && other < at + windowMs).length).toBeLessThanOrEqual(
          most,
        );
      }
    },
  ));
});
