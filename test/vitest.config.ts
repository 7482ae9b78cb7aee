import { availableParallelism } from "node:os";
import process from "node:process";
import { configDefaults, defineConfig } from "vitest/config";
import { LongestFirst } from "./helpers/longest_first.ts";

/**
 * Suites that wait most of their time: for the pace of Telegram's edits, for backoffs, for timeouts of real seconds. All
 * others begin when these have ended.
 */
const WAITING = [
  "test/bot/e2e/**/*.test.ts",
  "test/jobs/{kv_dispatcher,pgboss_dispatcher,pgboss_outage,pgboss_queue}.test.ts",
  "test/batches/{provider_storms,provider_storms_outage,worker_odd_answers}.test.ts",
  "test/rate/{call_gate,processes}.test.ts",
  "test/alerts/service.test.ts",
];

const root = new URL("..", import.meta.url).pathname;
const cores = availableParallelism();

const common = {
  root,
  // Every file has its own process: a leaked handle or a stray global cannot reach the next one.
  pool: "forks",
  // Limits for what hangs, not for what is slow: two cores that are shared take three times as long as four idle ones.
  testTimeout: 90_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 60_000 } },
} as const;

/*
 * WebAssembly is compiled once, quickly. PGlite is large, and making its functions faster takes a process of some hundred
 * statements more time (1.1 s of the processor) than they then save. The processes that tests start take it over.
 */
process.env["DENO_V8_FLAGS"] ??= "--liftoff-only";

export default defineConfig({
  test: {
    root,
    globalSetup: ["test/helpers/template.ts"],
    sequence: { sequencer: LongestFirst },
    reporters: ["default"],
    projects: [
      {
        test: {
          ...common,
          name: "waiting",
          include: WAITING,
          // A file takes a sixth of a core (measured): so many leave few idle and none late.
          maxWorkers: cores * 4,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...common,
          name: "working",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...WAITING],
          // With two files on two cores more than half of their time was idle (measured: 19 minutes of 43).
          maxWorkers: Math.ceil(cores * 1.5),
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
