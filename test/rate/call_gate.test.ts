import { beforeEach, describe, expect, it } from "vitest";
import { CallGate } from "../../lib/batches/worker/call_gate.ts";
import {
  type Reservation,
  type SharedRate,
  shareRate,
  VALID_MS,
} from "../../lib/batches/worker/shared_rate.ts";
import { SERVER, useTestDatabase } from "../helpers/database.ts";
import { untilWaitedFor } from "../helpers/lock_wait.ts";
import { countFullest } from "./windows.ts";

const test = useTestDatabase();
const NEVER = new AbortController().signal;

/** Each test has a provider of its own: what the gates of the one before still tell does not concern it. */
let provider: string;
let made = 0;
beforeEach(() => {
  provider = `gemini ${++made}`;
});

/** A gate as a process of its own has it, and what it asked of the database. */
function openGate(rpm: number, change: Partial<SharedRate> = {}, round = 0) {
  const rate = shareRate(test.db, provider, rpm);
  const asked: Reservation[] = [];
  const troubles: string[] = [];
  const heard: number[] = [];
  const counting: SharedRate = {
    ...rate,
    ...change,
    reserve(reservation) {
      asked.push(reservation);
      return (change.reserve ?? rate.reserve)(reservation);
    },
  };
  const gate = new CallGate({ rate: counting, round, onTrouble: (message) => troubles.push(message) });
  gate.onClosedElsewhere((ms) => heard.push(ms));
  return { gate, asked, troubles, heard };
}

/** Lets `width` callers pass again and again for `forMs`; when each of them could, ms. */
async function passFor(gate: CallGate, width: number, forMs: number): Promise<number[]> {
  const ending = AbortSignal.timeout(forMs);
  const times: number[] = [];
  await Promise.all(Array.from({ length: width }, async () => {
    while (await gate.pass(ending)) times.push(performance.now());
  }));
  return times;
}

describe("requests", () => {
  it("leave as fast as the rate says and no faster, from two processes that want more than it all the time", async () => {
    const gates = [openGate(1_200), openGate(1_200)];
    const times = await Promise.all(gates.map(({ gate }) => passFor(gate, 16, 3_000)));
    const all = times.flat();
    for (const windowMs of [200, 1_000, 2_000]) {
      expect(countFullest(all, windowMs)).toBeLessThanOrEqual((windowMs + VALID_MS) / 50 + 1);
    }
    // 20 a second, and the half second that nobody had used before.
    expect(all.length).toBeGreaterThanOrEqual(60);
    expect(all.length).toBeLessThanOrEqual(71);
    for (const { length } of times) expect(length).toBeGreaterThanOrEqual(all.length * 0.4);
  });

  it("leave in the order in which they came", async () => {
    const { gate } = openGate(6_000);
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 80 }, async (_, n) => await gate.pass(NEVER) && order.push(n)),
    );
    expect(order).toEqual(Array.from({ length: 80 }, (_, n) => n));
  });

  it("cost hardly a question to the database where many may leave", async () => {
    const { gate, asked } = openGate(100_000);
    let passed = 0;
    const ending = AbortSignal.timeout(1_500);
    await Promise.all(Array.from({ length: 16 }, async () => {
      while (await gate.pass(ending)) {
        passed++;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }));
    expect(passed).toBeGreaterThan(500);
    expect(asked.length).toBeLessThan(passed / 20);
  });

  it("that leave together find their places reserved, also when the ones before left half a second ago", async () => {
    const { gate, asked } = openGate(200_000, {}, 16);
    gate.expect();
    let [rounds, judged] = [0, 0];
    while (judged < 4 && rounds++ < 20) {
      const before = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 500));
      // On a machine that stalled, the places had lapsed before anybody could ask for them.
      const stalled = performance.now() - before > 550;
      const leaving = Array.from({ length: 16 }, () => gate.pass(NEVER));
      // None had to wait for the database: what the first of them asked for is not here yet.
      const may = await Promise.race([
        Promise.all(leaving),
        new Promise((resolve) => setTimeout(resolve, 0)),
      ]);
      await Promise.all(leaving);
      if (stalled) continue;
      expect([rounds, may]).toEqual([rounds, leaving.map(() => true)]);
      judged++;
    }
    expect(judged).toBe(4);
    expect(asked.length).toBeLessThanOrEqual(rounds + 2);
  });

  it("are not reserved for again and again when the answer takes so long that the places have nearly lapsed", async () => {
    const rate = shareRate(test.db, provider, 200_000);
    const { gate, asked } = openGate(200_000, {
      async reserve(reservation) {
        const reserved = await rate.reserve(reservation);
        await new Promise((resolve) => setTimeout(resolve, 500));
        return reserved;
      },
    }, 16);
    gate.expect();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(asked.length).toBe(1);
  });

  it("reserve nothing that nobody waits for where few may leave", async () => {
    const { gate, asked } = openGate(300);
    for (let n = 0; n < 5; n++) expect(await gate.pass(NEVER)).toBe(true);
    expect(asked.map(({ count }) => count)).toEqual([1, 1, 1, 1, 1]);
  });

  it("of a process that was started again wait behind those of the one before", async () => {
    expect((await passFor(openGate(60).gate, 4, 300)).length).toBe(1);
    const started = performance.now();
    expect(await openGate(60).gate.pass(NEVER)).toBe(true);
    // The place before was half a second before the first start, the next one is a second later.
    expect(performance.now() - started).toBeGreaterThan(100);
    const again = openGate(60);
    expect((await passFor(again.gate, 4, 300)).length).toBe(0);
  });

  it("leave although every answer of the database is long on its way", async () => {
    const rate = shareRate(test.db, provider, 6_000);
    const { gate, asked } = openGate(6_000, {
      async reserve(reservation) {
        const reserved = await rate.reserve(reservation);
        await new Promise((resolve) => setTimeout(resolve, 900));
        return reserved;
      },
    });
    expect(await gate.pass(NEVER)).toBe(true);
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.length).toBeLessThan(6);
  });

  it("that are called off are told so at once, and the places they had are free for others", async () => {
    const { gate } = openGate(6);
    expect(await gate.pass(NEVER)).toBe(true);
    const read = async () => {
      const { rows: [row] } = await test.db.query<{ s: number }>(
        "SELECT extract(epoch FROM next_at - clock_timestamp())::float8 AS s FROM rate_limits WHERE provider = $1",
        [provider],
      );
      return row!.s;
    };
    const controller = new AbortController();
    const waits = [gate.pass(controller.signal), gate.pass(controller.signal)];
    await expect.poll(read).toBeGreaterThan(15);
    const called = performance.now();
    controller.abort();
    expect(await Promise.all(waits)).toEqual([false, false]);
    expect(performance.now() - called).toBeLessThan(500);
    await expect.poll(read).toBeLessThan(10);
    expect(await gate.pass(controller.signal)).toBe(false);
  });
});

describe("a provider that asks to come back later", () => {
  it("is heard by the other processes: they wait as long, and go on by themselves", async () => {
    const [first, other] = [openGate(6_000), openGate(6_000)];
    expect(await other.gate.pass(NEVER)).toBe(true);
    first.gate.close(1_500);
    expect(first.gate.closedMs).toBeGreaterThan(1_400);
    const told = "SELECT FROM rate_limits WHERE provider = $1 AND closed_until IS NOT NULL";
    await expect.poll(async () => (await test.db.query(told, [provider])).rows).toHaveLength(1);

    const started = performance.now();
    const passed = Promise.all(Array.from({ length: 60 }, () => other.gate.pass(NEVER)));
    await expect.poll(() => other.heard).toHaveLength(1);
    expect(other.heard[0]).toBeGreaterThan(1_000);
    expect(other.gate.closedMs).toBeGreaterThan(900);
    expect(await first.gate.pass(NEVER)).toBe(true);
    await passed;
    expect(performance.now() - started).toBeGreaterThan(1_300);
    expect(performance.now() - started).toBeLessThan(4_000);
    // Who was told by the provider need not be told again.
    expect(first.heard).toEqual([]);
    expect(other.heard).toHaveLength(1);
  });

  it("lets nothing leave meanwhile, not even on places that were reserved before", async () => {
    const { gate, asked } = openGate(100_000);
    await passFor(gate, 16, 100);
    gate.close(400);
    const started = performance.now();
    expect(await gate.pass(NEVER)).toBe(true);
    expect(performance.now() - started).toBeGreaterThan(395);
    expect(asked.some(({ closeMs }) => closeMs !== null)).toBe(true);
  });

  it("for longer wins over a shorter wait", () => {
    const { gate } = openGate(300);
    gate.close(60_000);
    gate.close(10);
    expect(gate.closedMs).toBeGreaterThan(59_000);
  });

  it("is told to the others when the database is back", async () => {
    let away = true;
    const rate = shareRate(test.db, provider, 300);
    const { gate, troubles } = openGate(300, {
      reserve: (reservation) => away ? Promise.reject(new Error("away")) : rate.reserve(reservation),
    });
    gate.close(60_000);
    await expect.poll(() => troubles.length).toBeGreaterThan(1);
    away = false;
    await expect.poll(async () => (await rate.reserve({ count: 0 })).closedMs, { timeout: 20_000 })
      .toBeGreaterThan(50_000);
  });
});

describe("a database that is away", () => {
  it("lets nothing leave, is tried again, and everything leaves when it is back", async () => {
    let away = true;
    const rate = shareRate(test.db, provider, 6_000);
    const { gate, troubles } = openGate(6_000, {
      reserve: (reservation) =>
        away ? Promise.reject(new Error("connection refused")) : rate.reserve(reservation),
    });
    let passed = 0;
    const all = Promise.all(Array.from({ length: 20 }, () => gate.pass(NEVER).then(() => passed++)));
    await expect.poll(() => troubles.length).toBeGreaterThan(2);
    expect(troubles[0]).toMatch(/connection refused/);
    expect(passed).toBe(0);
    away = false;
    await all;
    expect(passed).toBe(20);
  });

  it("that does not even answer lets requests be called off at once", async () => {
    const { gate } = openGate(300, { reserve: () => new Promise(() => {}) });
    const controller = new AbortController();
    const waits = [gate.pass(controller.signal), gate.pass(controller.signal)];
    const called = performance.now();
    controller.abort();
    expect(await Promise.all(waits)).toEqual([false, false]);
    expect(performance.now() - called).toBeLessThan(500);
  });

  it.skipIf(!SERVER)("that ends the connection in the middle of the question is asked again", async () => {
    const { gate, troubles } = openGate(6_000);
    await gate.pass(NEVER);
    const passed: boolean[] = [];
    const all = await test.db.transaction(async (tx) => {
      await tx.query("SELECT FROM rate_limits WHERE provider = $1 FOR UPDATE", [provider]);
      const waits = Array.from(
        { length: 100 },
        () => gate.pass(NEVER).then((may) => passed.push(may)),
      );
      await untilWaitedFor(tx);
      const { rowCount } = await tx.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBe(1);
      await expect.poll(() => troubles, { timeout: 30_000 }).toHaveLength(1);
      // Those that had their place already.
      expect(passed.length).toBeLessThan(50);
      return { done: Promise.all(waits) };
    });
    await all.done;
    expect(passed).toEqual(Array(100).fill(true));
  });

  it.skipIf(!SERVER)(
    "whose row is locked by somebody else is waited for, and the wait can be called off",
    async () => {
      const { gate } = openGate(6_000);
      await gate.pass(NEVER);
      // What is reserved already may leave; the others have to ask.
      const controller = new AbortController();
      await test.db.transaction(async (tx) => {
        await tx.query("SELECT FROM rate_limits WHERE provider = $1 FOR UPDATE", [provider]);
        const waits = Array.from({ length: 100 }, () => gate.pass(controller.signal));
        await untilWaitedFor(tx);
        controller.abort();
        expect(await Promise.all(waits)).toContain(false);
      });
      expect(await gate.pass(NEVER)).toBe(true);
    },
  );
});
