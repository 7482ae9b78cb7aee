/** A drain at its deadline while the provider is slow, and when it is asked again. */
import { afterEach, describe, expect, it } from "vitest";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { Drain, type DrainOptions } from "../../lib/drain.ts";
import { type Runtime, startRuntime } from "../../lib/runtime.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { openWorkerBench, type WorkerBench } from "../helpers/worker_bench.ts";

const test = useTestDatabase();
let bench: WorkerBench;
let drain: Drain;
/** Each lets one of the first requests be answered. */
let answers: (() => void)[];
/** Requests that are out at once, of all that were. */
let mostOut: number;
/** The worker claims nothing more for now. */
let rested: Promise<void>;

afterEach(async () => {
  answers.forEach((answer) => answer());
  await drain.stop(0);
  await bench.close();
});

interface Stage extends Partial<DrainOptions> {
  /** So many of the first requests wait for their answer. */
  slow?: number;
  wrap?: (runtime: Runtime) => Runtime;
}

async function open({ slow = 0, wrap = (runtime) => runtime, ...options }: Stage = {}): Promise<void> {
  const gates = Array.from({ length: slow }, () => Promise.withResolvers<void>());
  answers = gates.map(({ resolve }) => resolve);
  let out = mostOut = 0;
  const rests = Promise.withResolvers<void>();
  rested = rests.promise;
  bench = await openWorkerBench(test.db, {
    env: { CONCURRENCY: "2" },
    gemini: {
      async script() {
        const gate = gates[bench.gemini.count - 1];
        mostOut = Math.max(mostOut, ++out);
        await gate?.promise;
        out--;
        return null;
      },
    },
  });
  const { config, desk } = bench;
  const analysts = createAnalysts(config);
  drain = new Drain({
    db: test.db,
    log() {},
    async start() {
      const runtime = await startRuntime({ db: test.db, desk, config, analysts, role: "drain", log() {} });
      const rest = runtime.worker.rest.bind(runtime.worker);
      runtime.worker.rest = () => {
        rest();
        rests.resolve();
      };
      return wrap(runtime);
    },
    ...options,
  });
}

async function startSession(articles: number): Promise<number> {
  await addArticles(test.db, articles);
  return (await bench.desk.start({}, "operator:test")).number;
}

async function count(what: string): Promise<number> {
  return (await test.db.query<{ n: number }>(`SELECT count(*) AS n FROM ${what}`)).rows[0].n;
}

const CLAIMED = "batch_processing_items WHERE status = 'PROCESSING'";
/** Long enough for both places to be taken, ms. */
const QUICK = { lengthMs: 2_000, holdMs: 2_200 };
const SOON = { timeout: 30_000 };

describe("a drain", () => {
  it("claims nothing after its deadline, and again when it is asked, while a slow answer is out", async () => {
    await open({ slow: 2, ...QUICK });
    const number = await startSession(6);
    // Whoever asked does not wait for the answers: the next minute could not ask.
    await drain.run();
    await rested;
    await expect.poll(() => bench.gemini.count, SOON).toBe(2);
    answers[0]();
    await expect.poll(() => drain.holding, SOON).toBe(1);
    expect(await count(CLAIMED)).toBe(1);
    expect(bench.gemini.count).toBe(2);

    const next = drain.run();
    // The others go through the place that is free.
    await expect.poll(() => bench.gemini.count, SOON).toBe(6);
    answers[1]();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 6, unknown: 0 });
    await next;
    expect(mostOut).toBe(2);
    await expect.poll(() => count("workers"), SOON).toBe(0);
  });

  it("hands back what is out when the process ends, also after its deadline", async () => {
    await open({ slow: 2, ...QUICK });
    await startSession(4);
    await drain.run();
    await rested;
    await expect.poll(() => bench.gemini.count, SOON).toBe(2);
    await drain.stop(50);
    expect(drain.holding).toBe(0);
    expect(await count(CLAIMED)).toBe(0);
    expect(await count("paid_calls WHERE state = 'UNKNOWN'")).toBe(2);
    expect(await count("paid_calls WHERE state = 'HELD'")).toBe(0);
    await drain.run();
    expect(await count("workers")).toBe(0);
  });

  it("does not forget who asks while it ends", async () => {
    const [ends, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await open({
      wrap: (runtime) => ({
        ...runtime,
        async stop(graceMs) {
          ends.resolve();
          await mayEnd.promise;
          await runtime.stop(graceMs);
        },
      }),
    });
    const first = await startSession(2);
    const running = drain.run();
    await ends.promise;
    expect(await bench.untilEnded(first)).toMatchObject({ status: "COMPLETED" });
    const second = await startSession(2);
    const again = drain.run();
    mayEnd.resolve();
    expect(await bench.untilEnded(second)).toMatchObject({ status: "COMPLETED" });
    await Promise.all([running, again]);
  });

  it("goes on when the database is away for a moment", async () => {
    let away = 2;
    await open();
    const { db } = test;
    const flaky: typeof db = {
      ...db,
      query: (text, ...rest) =>
        text.includes("due_ms") && away-- === 1
          ? Promise.reject(new Error("Connection terminated"))
          : db.query(text, ...rest),
    };
    const { config, desk } = bench;
    const analysts = createAnalysts(config);
    const said: string[] = [];
    drain = new Drain({
      db: flaky,
      log: (_level, _fields, text) => said.push(text),
      start: () => startRuntime({ db, desk, config, analysts, role: "drain", log() {} }),
    });
    const number = await startSession(2);
    await drain.run();
    expect(said[0]).toBe("could not see what is due; looking again");
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED" });
    expect(await count("workers")).toBe(0);
  });
});
