import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Breaker, type Failed } from "../../lib/analysis/breaker/breaker.ts";
import { describeFailure, type FailureRow, FAILURES, type FailureWord } from "../../lib/analysis/failures.ts";

type Answer = { ok: true } | Failed;

const START = new Date("2026-11-24T12:00:00Z");
const MINUTE = 60_000;
let breaker: Breaker;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  breaker = new Breaker("gemini");
});
afterEach(() => vi.useRealTimers());

const FINE: Answer = { ok: true };

function failing(word: FailureWord<"gemini">): Failed {
  return { ok: false, ...describeFailure("gemini", { failure: word }, "") };
}

let sent = 0;
beforeEach(() => {
  sent = 0;
});

/** One request about the article, answered at once. */
async function ask(article: string, answer: Answer): Promise<Answer> {
  const send = () => {
    sent++;
    return Promise.resolve(answer);
  };
  return await breaker.run<Answer>(article, send, (refusal) => refusal);
}

/** A request whose answer comes when it is told. */
function askSlowly(article: string) {
  let answer: (answer: Answer) => void = () => {};
  const out = new Promise<Answer>((resolve) => answer = resolve);
  const result = breaker.run<Answer>(article, () => out, (refusal) => refusal);
  return {
    result,
    answer: async (with_: Answer) => {
      answer(with_);
      return await result;
    },
  };
}

async function open(): Promise<void> {
  for (const article of ["a", "b", "c", "d", "e"]) await ask(article, failing("provider_error"));
  expect(breaker.state).toBe("open");
}

function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

describe("a circuit breaker", () => {
  it("opens at the fifth failure in a row, and from then on sends nothing and bills nothing", async () => {
    for (const article of ["a", "b", "c", "d"]) {
      expect(await ask(article, failing("provider_error"))).toMatchObject({ action: "retry" });
    }
    expect(breaker.state).toBe("closed");
    expect(await ask("e", failing("provider_error"))).toMatchObject({
      failure: "provider_error",
      action: "pause",
      waitMs: 30_000,
    });
    pass(10_000);
    expect(await ask("f", FINE)).toMatchObject({
      failure: "circuit_open",
      action: "pause",
      billing: "NOT_BILLED",
      waitMs: 20_000,
      message: expect.stringContaining("Gemini failed inside"),
    });
    expect(sent).toBe(5);
  });

  it.each([
    ["an answer", FINE],
    ["an answer that does not fit the schema", failing("off_schema")],
    ["a refusal of the article", failing("prompt_blocked")],
    ["a refused key", failing("key_refused")],
  ])("begins to count anew after %s", async (_what, answer) => {
    for (let round = 0; round < 3; round++) {
      for (const article of ["a", "b", "c", "d"]) await ask(article, failing("connection_lost"));
      await ask("x", answer);
    }
    expect(breaker.state).toBe("closed");
  });

  it.each([["rate_limited"], ["come_back_later"], ["cancelled"]] as const)(
    "takes %s neither for a failure nor for a proof that the provider works",
    async (word) => {
      for (let n = 0; n < 20; n++) await ask(`w${n}`, failing(word));
      expect(breaker.state).toBe("closed");
      for (const article of ["a", "b", "c", "d"]) {
        await ask(article, failing("timed_out"));
        await ask("w", failing(word));
      }
      expect(await ask("e", failing("timed_out"))).toMatchObject({ action: "pause" });
    },
  );

  it("lets one request try when the wait is over, tells the others to wait for it, and closes when it is answered", async () => {
    await open();
    pass(30_000);
    const first = askSlowly("f");
    expect(breaker.state).toBe("half_open");
    expect(await ask("g", FINE)).toMatchObject({ failure: "circuit_open", action: "wait", waitMs: 1_000 });
    expect(await first.answer(FINE)).toEqual(FINE);
    expect(breaker.state).toBe("closed");
    expect(await ask("g", FINE)).toEqual(FINE);
  });

  it("waits twice as long after every try that fails, up to five minutes", async () => {
    await open();
    const waits: number[] = [breaker.waitMs];
    for (let n = 0; n < 6; n++) {
      pass(breaker.waitMs);
      await ask(`try ${n}`, failing("timed_out"));
      waits.push(breaker.waitMs);
    }
    expect(waits.map((ms) => ms / MINUTE)).toEqual([0.5, 1, 2, 4, 5, 5, 5]);
    expect(sent).toBe(11);
    pass(5 * MINUTE);
    await ask("fine", FINE);
    await open();
    expect(breaker.waitMs).toBe(30_000);
  });

  it("lets a request try at once when somebody wants to know", async () => {
    await open();
    breaker.tryNow();
    expect(breaker.waitMs).toBe(0);
    expect(await ask("f", FINE)).toEqual(FINE);
    expect(breaker.state).toBe("closed");
  });

  it("opens at the first failure when somebody knows of trouble that it has not seen, and at the fifth again afterwards", async () => {
    breaker.tryNow();
    expect(await ask("a", failing("provider_error"))).toMatchObject({ action: "pause", waitMs: 30_000 });
    breaker.tryNow();
    await ask("b", FINE);
    for (const article of ["c", "d", "e", "f"]) await ask(article, failing("provider_error"));
    expect(breaker.state).toBe("closed");
  });

  it("stays open after a try whose caller hung up", async () => {
    await open();
    pass(30_000);
    expect(await ask("f", failing("cancelled"))).toMatchObject({ failure: "cancelled", action: "retry" });
    expect(breaker.state).toBe("open");
  });

  it("does not let late answers to what was sent before it opened decide about now", async () => {
    const late = ["v", "w", "x", "y", "z"].map(askSlowly);
    await open();
    pass(30_000);
    const first = askSlowly("f");
    expect(await late[0].answer(failing("timed_out"))).toMatchObject({ action: "retry", spared: true });
    expect(await late[1].answer(FINE)).toEqual(FINE);
    expect(breaker.state).toBe("half_open");
    await first.answer(FINE);
    for (const request of late.slice(2)) await request.answer(failing("timed_out"));
    await ask("a", failing("timed_out"));
    await ask("b", failing("timed_out"));
    expect(breaker.state).toBe("closed");
  });
});

describe("whose fault a failure is", () => {
  it("counts for the breaker and costs attempts by the table alone", () => {
    const counted = Object.entries(FAILURES.gemini as Record<string, FailureRow>)
      .filter(([, { trouble }]) => trouble).map(([word, { trouble }]) => `${word} ${trouble}`);
    expect(counted.sort()).toEqual([
      "connection_lost perhaps",
      "gateway_error perhaps",
      "malformed_response perhaps",
      "not_sent provider",
      "overloaded provider",
      "provider_error perhaps",
      "timed_out perhaps",
      "unexpected_status perhaps",
    ]);
  });

  it("is never an article's when a search fails", () => {
    const counted = Object.values(FAILURES.tavily as Record<string, FailureRow>).map(({ trouble }) =>
      trouble
    );
    expect(new Set(counted)).toEqual(new Set([undefined, "provider"]));
  });

  it("is the article's when only one or two fail, however often, so that they end after their attempts", async () => {
    for (let n = 0; n < 20; n++) {
      expect(await ask(n % 2 === 0 ? "a" : "b", failing("provider_error"))).not.toHaveProperty("spared");
    }
    expect(breaker.state).toBe("closed");
  });

  it("is the provider's while the breaker is not closed, a few times an article", async () => {
    await open();
    for (let n = 0; n < 5; n++) {
      pass(breaker.waitMs);
      expect(await ask("bad", failing("provider_error"))).toMatchObject({ action: "pause" });
    }
    pass(breaker.waitMs);
    const sixth = await ask("bad", failing("provider_error"));
    expect(sixth).toMatchObject({ action: "retry" });
    expect(sixth).not.toHaveProperty("spared");
    pass(breaker.waitMs);
    expect(await ask("another", failing("provider_error"))).toMatchObject({ action: "pause" });
  });

  it("is the provider's from the first one on when no article can cause it", async () => {
    for (let n = 0; n < 4; n++) {
      expect(await ask("only", failing("overloaded"))).toMatchObject({ action: "retry", spared: true });
    }
    expect(await ask("only", failing("overloaded"))).toMatchObject({ action: "pause" });
    for (let n = 0; n < 20; n++) {
      pass(breaker.waitMs);
      expect(await ask("only", failing("overloaded"))).toMatchObject({ action: "pause" });
    }
  });

  it("is the article's after all when the provider is overloaded for it alone", async () => {
    const blamed: boolean[] = [];
    for (let n = 0; n < 8; n++) {
      blamed.push(!("spared" in await ask("odd", failing("overloaded"))));
      await ask(`fine ${n}`, FINE);
    }
    expect(blamed).toEqual([false, false, false, false, false, true, true, true]);
  });

  it("keeps the bill of the failure that opened it", async () => {
    for (const article of ["a", "b", "c", "d"]) await ask(article, failing("timed_out"));
    expect(await ask("e", failing("timed_out"))).toMatchObject({ action: "pause", billing: "UNKNOWN" });
  });
});
