import { createGeminiAnalyst } from "../../lib/analysis/gemini/analyst.ts";
import { startFakeGemini } from "../fakes/gemini.ts";
import { describeAnalystConformance } from "./conformance.ts";

describeAnalystConformance("gemini over a fake server", async () => {
  const server = await startFakeGemini({ record: false });
  return {
    analyst: createGeminiAnalyst({ apiKey: "k", model: "gemini-3.1-flash-lite", baseUrl: server.url }),
    close: server.close,
  };
});
