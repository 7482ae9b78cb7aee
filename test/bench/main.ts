/**
 * `deno task bench [--json]`: how fast articles go through the whole desk, every one held, called over HTTP, settled,
 * stored and audited. With BENCH_DATABASE_URL also on that PostgreSQL server, beside graphile-worker, whose jobs make
 * the same call and insert one row.
 */
import { parseArgs } from "node:util";
import { runBare } from "./bare.ts";
import { startFakes } from "./fakes.ts";
import { openBenchDatabase } from "./databases.ts";
import { askOnce, askPooled, runGraphile } from "./graphile.ts";
import { runSession, type SessionFigures } from "./session.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
    articles: { type: "string", default: "2000" },
  },
});

/** The shape of the original measurements: 16 at once, 12,000-character prompts, 208 articles for the latencies. */
const CONCURRENCY = 16;
const CHARS = 12_000;
const LATENCY_ARTICLES = 208;

interface Row extends SessionFigures {
  what: string;
  on: string;
  /** Ideal time over actual time; null where there is no ideal. */
  ofIdeal: number | null;
}

const server = Deno.env.get("BENCH_DATABASE_URL") ?? null;
const rounds = Number(values.rounds);
const rows: Row[] = [];

for (const latency of [0, 100, 500]) {
  const articles = latency === 0 ? Number(values.articles) : LATENCY_ARTICLES;
  await measure(`${latency} ms, calls alone`, latency, articles, null, runBare);
}
for (const on of server ? [null, server] : [null]) {
  await measure("zero latency", 0, Number(values.articles), on, runSession);
  for (const latency of [100, 500]) await measure(`${latency} ms`, latency, LATENCY_ARTICLES, on, runSession);
}
if (server) {
  const articles = Number(values.articles);
  await measure("graphile, same call sent once", 0, articles, server, (b, o) => runGraphile(b, o, askOnce));
  await measure("graphile, pooled fetch", 0, articles, server, (b, o) => runGraphile(b, o, askPooled));
}

if (values.json) console.log(JSON.stringify(rows, null, 2));
else {
  console.log("what                            on         articles     s   articles/s   of ideal");
  for (const row of rows) {
    console.log(
      row.what.padEnd(31),
      row.on.padEnd(9),
      String(row.articles).padStart(8),
      row.seconds.toFixed(2).padStart(7),
      row.perSecond.toFixed(0).padStart(10),
      (row.ofIdeal?.toFixed(3) ?? "-").padStart(10),
    );
  }
}
Deno.exit(0);

/** The median of `rounds` runs after one warm-up, each on a fresh database. */
async function measure(
  what: string,
  latencyMs: number,
  articles: number,
  on: string | null,
  run: typeof runSession,
): Promise<void> {
  const fakes = await startFakes(latencyMs);
  const figures: SessionFigures[] = [];
  try {
    for (let round = 0; round <= rounds; round++) {
      const bench = await openBenchDatabase(on);
      try {
        const options = { chars: CHARS, concurrency: CONCURRENCY, geminiUrl: fakes.geminiUrl };
        const warmUp = round === 0;
        const result = await run(bench, { ...options, articles: warmUp ? CONCURRENCY * 4 : articles });
        if (!warmUp) figures.push(result);
      } finally {
        await bench.close();
      }
    }
  } finally {
    await fakes.stop();
  }
  const median = figures.sort((a, b) => a.seconds - b.seconds)[Math.floor(figures.length / 2)];
  const ideal = latencyMs > 0 ? Math.ceil(articles / CONCURRENCY) * latencyMs / 1000 : null;
  const name = on ? "postgres" : "embedded";
  rows.push({ what, on: name, ...median, ofIdeal: ideal === null ? null : ideal / median.seconds });
  if (!values.json) {
    console.error(`${what} on ${name}: ${figures.map((f) => f.seconds.toFixed(2)).join(", ")} s`);
  }
}
