/**
 * Runs the fakes in a process of their own, for benches and for trying the service without keys:
 *
 *     deno run -A test/fakes/main.ts --gemini-port 9401 --tavily-port 9402 --latency 500 --gemini-error-rate 0.05
 *     GEMINI_API_KEY=any GEMINI_BASE_URL=http://127.0.0.1:9401 deno task start
 *
 * With --control-port 9403 their weather can be changed while they run (storms.ts has the names):
 *
 *     curl -X PUT -d overloaded http://127.0.0.1:9403/gemini
 *     curl -X PUT -d calm http://127.0.0.1:9403/gemini
 */
import { parseArgs } from "node:util";
import { geminiAnswer, geminiError, startFakeGemini } from "./gemini.ts";
import { writePlausibleAnalysis } from "./plausible_analysis.ts";
import { GEMINI_STORMS, TAVILY_STORMS } from "./storms.ts";
import { startFakeTavily } from "./tavily.ts";
import { playTelegram } from "./telegram/play.ts";
import type { WireReply, WireRequest } from "./wire_server.ts";

const { values } = parseArgs({
  options: {
    "gemini-port": { type: "string", default: "0" },
    "tavily-port": { type: "string", default: "0" },
    /** With this also a Telegram, whose chat is this terminal. */
    "telegram-port": { type: "string" },
    /** Before every answer (ms). */
    latency: { type: "string", default: "0" },
    /** Share of Gemini calls answered with a 503, from 0 to 1. */
    "gemini-error-rate": { type: "string", default: "0" },
    "control-port": { type: "string" },
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

const weather: Record<"gemini" | "tavily", WireReply | null> = { gemini: null, tavily: null };
const latencyMs = Number(values.latency);
const errorRate = Number(values["gemini-error-rate"]);
let owed = 0;

const gemini = await startFakeGemini({
  port: Number(values["gemini-port"]),
  record: false,
  latencyMs,
  script: (request) => {
    if (weather.gemini) return weather.gemini;
    // Evenly spread instead of random: two runs see the same errors.
    owed += errorRate;
    if (owed < 1) return values.canned ? cannedAnswer(request) : null;
    owed -= 1;
    return geminiError(503, "UNAVAILABLE", "The model is overloaded. Please try again later.");
  },
});
const tavily = await startFakeTavily({
  port: Number(values["tavily-port"]),
  record: false,
  latencyMs,
  script: () => weather.tavily,
});

console.log(`GEMINI_BASE_URL=${gemini.url}`);
console.log(`TAVILY_BASE_URL=${tavily.url}`);

if (values["control-port"] !== undefined) {
  const port = Number(values["control-port"]);
  Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, changeWeather);
}

async function changeWeather(request: Request): Promise<Response> {
  const provider = new URL(request.url).pathname.slice(1);
  if (provider !== "gemini" && provider !== "tavily") {
    return new Response("/gemini or /tavily\n", { status: 404 });
  }
  const storms: Record<string, WireReply> = provider === "gemini" ? GEMINI_STORMS : TAVILY_STORMS;
  const wanted = (await request.text()).trim();
  if (wanted !== "calm" && !(wanted in storms)) {
    return new Response(`calm, ${Object.keys(storms).join(", ")}\n`, { status: 400 });
  }
  weather[provider] = wanted === "calm" ? null : storms[wanted];
  const { count } = provider === "gemini" ? gemini : tavily;
  return new Response(`${provider}: ${wanted}, ${count} requests so far\n`);
}
if (values["telegram-port"] !== undefined) await playTelegram(Number(values["telegram-port"]));
