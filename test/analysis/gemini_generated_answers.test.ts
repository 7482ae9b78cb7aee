/** A thousand answers no provider should give: each must come back as a value, with a word of the table and a sane bill. */
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { FAILURES } from "../../lib/analysis/failures.ts";
import { createGeminiAnalyst } from "../../lib/analysis/gemini/analyst.ts";
import { startFakeGemini } from "../fakes/gemini.ts";
import type { WireReply } from "../fakes/wire_server.ts";
import { anyReply, ODD_ARTICLE } from "../helpers/generated_answers.ts";
import { expectSoundResult } from "./conformance.ts";

let next: WireReply = { kind: "close" };
const server = await startFakeGemini({ record: false, script: () => next });
afterAll(() => server.close());

it("any of 1,000 generated answers comes back as a classified value", async () => {
  const analyst = createGeminiAnalyst({
    apiKey: "k",
    model: "gemini-3.1-flash-lite",
    baseUrl: server.url,
    timeoutMs: 5_000,
  });
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(anyReply, async (generated) => {
      next = generated;
      const result = await analyst.analyse(ODD_ARTICLE, new AbortController().signal);
      const word = result.ok ? "ok" : result.failure;
      seen.set(word, (seen.get(word) ?? 0) + 1);
      if (!result.ok) expect(FAILURES.gemini).toHaveProperty(result.failure);
      expectSoundResult({ ...result, usage: null }, analyst, ODD_ARTICLE);
      for (const tokens of Object.values(result.usage ?? {})) expect(tokens).toSatisfy(Number.isSafeInteger);
    }),
    { numRuns: 1000 },
  );
  // The generator is worth something only while it reaches many rows.
  expect(seen.get("ok")).toBeGreaterThan(50);
  expect(seen.size).toBeGreaterThan(10);
});
