/**
 * The benches: `deno task bench [--json] [--only speed,start] [--rounds 3] [--articles 2000]`.
 *
 *     speed      articles a second, and how near to the latency of the calls; beside graphile-worker and pg-boss
 *     start      from `deno task start` to "ready" on a database that exists
 *     processes  1, 2, 4 and 8 processes on one server, and budgets that all of them reach for
 *     scale      a session of 100,000 articles, the choice among 1,000,000 (takes half an hour)
 *     cost       tokens and dollars an article
 *     web        what 200 live streams and 50 polls a second cost a session; exit code 1 when that is 5 % or more
 *
 * All of them unless --only says which. BENCH_DATABASE_URL names a PostgreSQL server; without one everything runs on the
 * embedded database, and what needs a server is left out. Providers are a fake in a process of its own.
 */
import { parseArgs } from "node:util";
import { messageOf } from "../../lib/errors.ts";
import { describeProcesses, measureProcesses } from "./processes.ts";
import { measureScale, printScale } from "./scale.ts";
import { measureSpeed, printSpeed } from "./speed.ts";
import { measureStart, printStart } from "./start.ts";
import { measureWeb, printWeb } from "./web_load.ts";
import { reportCost } from "./cost_report.ts";

const BENCHES = ["speed", "start", "processes", "scale", "cost", "web"] as const;
type Bench = (typeof BENCHES)[number];

const { values } = parseArgs({
  args: Deno.args,
  options: {
    json: { type: "boolean", default: false },
    only: { type: "string", default: BENCHES.join(",") },
    rounds: { type: "string", default: "3" },
    /** Of a session without latency. */
    articles: { type: "string", default: "2000" },
  },
});

const wanted = values.only.split(",");
const unknown = wanted.filter((name) => !BENCHES.includes(name as Bench));
if (unknown.length > 0) {
  console.error(`--only: wanted some of ${BENCHES.join(", ")}, got ${unknown.join(", ")}`);
  Deno.exit(2);
}

const server = Deno.env.get("BENCH_DATABASE_URL") ?? null;
const rounds = Number(values.rounds);
const tell = (line: string) => console.error(line);

/** Each measures, and returns its figures with a way to print them; null: it needs a server. */
const run: Record<Bench, () => Promise<{ figures: unknown; print: () => void; faults?: string[] } | null>> = {
  async speed() {
    const figures = await measureSpeed({ server, rounds, articles: Number(values.articles), tell });
    return { figures, print: () => printSpeed(figures) };
  },
  async start() {
    const figures = [await measureStart(null, rounds), ...server ? [await measureStart(server, rounds)] : []];
    return { figures, print: () => printStart(figures) };
  },
  async processes() {
    if (!server) return null;
    const figures = await measureProcesses(server, { rounds, say: tell });
    return { figures, print: () => console.log(describeProcesses(figures)) };
  },
  async scale() {
    const figures = await measureScale({ articles: [1_000, 10_000, 100_000], minutes: 10, server, tell });
    return { figures, print: () => printScale(figures) };
  },
  async cost() {
    const { json, text } = await reportCost();
    return { figures: json, print: () => console.log(text) };
  },
  async web() {
    const figures = await measureWeb({ server, rounds, tell });
    return { figures, print: () => printWeb(figures), faults: figures.flatMap(({ faults }) => faults) };
  },
};

let faulty = false;
const report: Partial<Record<Bench, unknown>> = {};
for (const name of BENCHES.filter((each) => wanted.includes(each))) {
  const result = await run[name]().catch((error: unknown) => {
    console.error(
      `Cannot measure ${name}: ${messageOf(error)}. Check BENCH_DATABASE_URL and that its server runs`,
    );
    Deno.exit(1);
  });
  if (result === null) {
    tell(`${name}: left out, it needs a server in BENCH_DATABASE_URL`);
    continue;
  }
  report[name] = result.figures;
  faulty ||= (result.faults ?? []).length > 0;
  if (values.json) continue;
  console.log(`\n${name}\n`);
  result.print();
}
if (values.json) console.log(JSON.stringify(report, null, 2));
Deno.exit(faulty ? 1 : 0);
