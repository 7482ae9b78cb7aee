/** Searches after "come back later". */
import { describe, expect, it } from "vitest";
import { SearchGate, type Turn } from "../../lib/batches/worker/search_gate.ts";

const NEVER = new AbortController().signal;

/** Asks for a turn; `turns` has those that may leave, in order. */
function ask(gate: SearchGate, turns: Turn[], change: { leftMs?: number; signal?: AbortSignal } = {}) {
  const { leftMs = 60_000, signal = NEVER } = change;
  const told = { waits: false };
  const passed = gate.pass({ signal, leftMs: () => leftMs, onWait: () => told.waits = true }).then((turn) => {
    if (typeof turn !== "string") turns.push(turn);
    return turn;
  });
  return { passed, told };
}

describe("the gate of searches", () => {
  it("lets everybody leave at once while nobody was told to wait, up to its number", async () => {
    const gate = new SearchGate(2);
    const turns: Turn[] = [];
    const asked = [1, 2, 3].map(() => ask(gate, turns));
    await Promise.all([asked[0].passed, asked[1].passed]);
    expect(asked.map(({ told }) => told.waits)).toEqual([false, false, true]);
    expect(turns).toHaveLength(2);
    turns[0].answered(null);
    await asked[2].passed;
    expect(turns).toHaveLength(3);
  });

  it("lets one try when the time is over, and the others when it was answered", async () => {
    const gate = new SearchGate(10);
    const turns: Turn[] = [];
    await ask(gate, turns).passed;
    const began = performance.now();
    turns[0].answered(100);
    const asked = [1, 2, 3].map(() => ask(gate, turns));
    // Whichever wakes first.
    await expect.poll(() => turns.length).toBe(2);
    expect(performance.now() - began).toBeGreaterThanOrEqual(99);
    // Told again: another one tries, not everybody.
    turns[1].answered(20);
    await expect.poll(() => turns.length).toBe(3);
    turns[2].answered(null);
    await Promise.all(asked.map(({ passed }) => passed));
    expect(turns).toHaveLength(4);
  });

  it("does not take an answer to what left earlier for the end of the wait", async () => {
    const gate = new SearchGate(10);
    const turns: Turn[] = [];
    await Promise.all([1, 2].map(() => ask(gate, turns).passed));
    turns[0].answered(20);
    turns[1].answered(null);
    const asked = [1, 2].map(() => ask(gate, turns));
    await Promise.race(asked.map(({ passed }) => passed));
    expect(turns).toHaveLength(3);
    turns[2].giveBack();
    await Promise.all(asked.map(({ passed }) => passed));
    expect(turns).toHaveLength(4);
  });

  it("lets nobody wait for what comes after their time, or after they were stopped", async () => {
    const gate = new SearchGate(10);
    const turns: Turn[] = [];
    await ask(gate, turns).passed;
    turns[0].answered(60_000);
    const { passed, told } = ask(gate, turns, { leftMs: 1_000 });
    expect(await passed).toBe("too_late");
    expect(told.waits).toBe(false);
    const stop = new AbortController();
    const waiting = ask(gate, turns, { signal: stop.signal, leftMs: 100_000 });
    stop.abort();
    expect(await waiting.passed).toBe("stopped");
    expect(await ask(gate, turns, { signal: stop.signal }).passed).toBe("stopped");
  });
});
