/** Processes of their own with one database between them, and a provider that counts what arrives. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VALID_MS } from "../../lib/batches/worker/shared_rate.ts";
import { openDatabase } from "../../lib/database/connect.ts";
import type { Database } from "../../lib/database/port.ts";
import { startWireServer, type WireReply, type WireServer } from "../fakes/wire_server.ts";
import { dropDatabase, makeDatabase, type TestDatabase } from "../helpers/database.ts";
import { endProcesses, environmentOf, type RunningProcess, startChild } from "../helpers/process.ts";
import { countFullest } from "./windows.ts";

interface Arrival {
  from: string;
  at: number;
}

const RPM = 1_200;
const SPACING_MS = 60_000 / RPM;
/** A loaded machine delivers one request late and the next one in time. */
const ON_THE_WAY_MS = 250;

let settings: TestDatabase["settings"];
let db: Database;
let provider: WireServer;
let arrivals: Arrival[];
let answer: (arrival: Arrival) => WireReply | null;
beforeEach(async () => {
  settings = await makeDatabase();
  ({ database: db } = await openDatabase({ ...settings, role: "test", onConnectionError: () => {} }));
  arrivals = [];
  answer = () => null;
  provider = await startWireServer(({ path }) => {
    const arrival = { from: path.slice(1), at: performance.now() };
    arrivals.push(arrival);
    return answer(arrival) ?? { kind: "answer", status: 200, body: "{}", delayMs: 20 };
  }, { record: false });
});
afterEach(async () => {
  await endProcesses();
  await db.close();
  await provider.close();
  await dropDatabase(settings);
});

function start(name: string, rpm = RPM): RunningProcess {
  return startChild("send_requests", {
    ...environmentOf(settings),
    PROVIDER: provider.url,
    NAME: name,
    RPM: String(rpm),
    WIDTH: "12",
  });
}

async function startAll(...names: string[]): Promise<RunningProcess[]> {
  const started = names.map((name) => start(name));
  await Promise.all(started.map((child) => child.printed(/ready/)));
  await expect.poll(() => new Set(arrivals.map(({ from }) => from)).size, { timeout: 30_000 }).toBe(
    names.length,
  );
  return started;
}

/** Lets time pass: what is counted is what arrives in it. */
async function watch(ms: number): Promise<Arrival[]> {
  const from = arrivals.length;
  await new Promise((resolve) => setTimeout(resolve, ms));
  return arrivals.slice(from);
}

function countFrom(some: readonly Arrival[], name: string): number {
  return some.filter(({ from }) => from === name).length;
}

function expectWithinRate(spacingMs: number): void {
  const times = arrivals.map(({ at }) => at);
  for (const windowMs of [500, 1_000, 3_000]) {
    const most = Math.floor((windowMs + VALID_MS + ON_THE_WAY_MS) / spacingMs) + 1;
    expect(countFullest(times, windowMs)).toBeLessThanOrEqual(most);
  }
}

describe("three processes that all want more than the rate", () => {
  it("share it: together they send what it allows and no more, each of them its part", async () => {
    await startAll("one", "two", "three");
    const seen = await watch(4_000);
    expectWithinRate(SPACING_MS);
    expect(seen.length).toBeGreaterThanOrEqual(0.85 * 4_000 / SPACING_MS);
    for (const name of ["one", "two", "three"]) {
      expect(countFrom(seen, name)).toBeGreaterThanOrEqual(seen.length / 6);
    }
  }, 120_000);

  it(
    "leave the part of one that was killed to the others, and one that is started again gets no more than its part",
    async () => {
      const [first] = await startAll("one", "two", "three");
      await watch(500);
      first!.kill("SIGKILL");
      await first!.ended;
      const without = await watch(2_000);
      expect(without.length).toBeGreaterThanOrEqual(0.75 * 2_000 / SPACING_MS);
      await start("again").printed(/ready/);
      const seen = await watch(2_500);
      expect(countFrom(seen, "again")).toBeGreaterThan(0);
      expect(countFrom(seen, "again")).toBeLessThanOrEqual(0.6 * seen.length);
      expectWithinRate(SPACING_MS);
    },
    120_000,
  );

  it("with different settings never send more than the largest of them allows", async () => {
    const children = [["slow", RPM / 4], ["quick", RPM]] as const;
    await Promise.all(children.map(([name, rpm]) => start(name, rpm).printed(/ready/)));
    await expect.poll(() => arrivals.length, { timeout: 30_000 }).toBeGreaterThan(5);
    const seen = await watch(3_000);
    expectWithinRate(SPACING_MS);
    expect(countFrom(seen, "slow")).toBeGreaterThan(3);
    expect(countFrom(seen, "slow")).toBeLessThanOrEqual(
      (3_000 + VALID_MS + ON_THE_WAY_MS) / (4 * SPACING_MS) + 1,
    );
    expect(countFrom(seen, "quick")).toBeGreaterThan(countFrom(seen, "slow"));
  }, 120_000);
});

describe("three processes of which one is told to come back later", () => {
  it("all stay away as long, and all go on by themselves", async () => {
    const children = await startAll("one", "two", "three");
    const WAIT_MS = 3_000;
    let told: Arrival | null = null;
    answer = (arrival) => {
      if (told) return null;
      told = arrival;
      return { kind: "answer", status: 429, body: String(WAIT_MS) };
    };
    await expect.poll(() => told).not.toBeNull();
    const { at: since, from } = told!;
    await expect.poll(() => performance.now() - since, { timeout: 30_000 }).toBeGreaterThan(WAIT_MS + 1_500);
    const after = arrivals.map(({ at, from }) => ({ from, afterMs: at - since }));
    // Places that were reserved before the answer may still be used: those of about a fifth of a second a process.
    const meanwhile = after.filter(({ afterMs }) => afterMs > 1_300 && afterMs < WAIT_MS - 50);
    expect(meanwhile).toEqual([]);
    const back = after.filter(({ afterMs }) => afterMs >= WAIT_MS - 50);
    expect(new Set(back.map(({ from }) => from)).size).toBe(3);
    const heard = await Promise.all(
      children.map((child, n) =>
        ["one", "two", "three"][n] === from ? true : child.printed(/heard/).then(() => true)
      ),
    );
    expect(heard).toEqual([true, true, true]);
    expectWithinRate(SPACING_MS);
  }, 120_000);
});
