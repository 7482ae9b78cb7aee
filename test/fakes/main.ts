/**
 * Runs the fakes in a process of their own, for benches and for trying the service without keys:
 *
 *     deno run -A test/fakes/main.ts --gemini-port 9401 --tavily-port 9402 --latency 500 --gemini-error-rate 0.05
 *     GEMINI_API_KEY=any GEMINI_BASE_URL=http://127.0.0.1:9401 deno task start
 */
import { parseArgs } from "node:util";
import { geminiAnswer, geminiError, startFakeGemini } from "./gemini.ts";
import { writePlausibleAnalysis } from "./plausible_analysis.ts";
import { startFakeTavily } from "./tavily.ts";
import type { WireRequest } from "./wire_server.ts";

const { values } = parseArgs({
  options: {
    "gemini-port": { type: "string", default: "0" },
    "tavily-port": { type: "string", default: "0" },
    /** Before every answer (ms). */
    latency: { type: "string", default: "0" },
    /** Share of Gemini calls answered with a 503, from 0 to 1. */
    "gemini-error-rate": { type: "string", default: "0" },
    /** The same short analysis for every article, so that a bench measures its subject and not the fake. */
    canned: { type: "boolean", default: false },
  },
});

const CANNED = JSON.stringify(
  writePlausibleAnalysis("Fees", "Miners saw fees rise on Monday, and nobody knows why."),
);

function cannedAnswer(request: WireRequest) {
  return geminiAnswer({ text: CANNED, promptBytes: request.body.length });
}

const latencyMs = Number(values.latency);
const errorRate = Number(values["gemini-error-rate"]);
let owed = 0;

const gemini = await startFakeGemini({
  port: Number(values["gemini-port"]),
  record: false,
  latencyMs,
  script: (request) => {
    // Evenly spread instead of random: two runs see the same errors.
    owed += errorRate;
    if (owed < 1) return values.canned ? cannedAnswer(request) : null;
    owed -= 1;
    return geminiError(503, "UNAVAILABLE", "The model is overloaded. Please try again later.");
  },
});
const tavily = await startFakeTavily({ port: Number(values["tavily-port"]), record: false, latencyMs });

console.log(`GEMINI_BASE_URL=${gemini.url}`);
console.log(`TAVILY_BASE_URL=${tavily.url}`);
