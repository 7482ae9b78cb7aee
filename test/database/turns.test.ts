import { describe, expect, it, vi } from "vitest";
import { Turns } from "../../lib/database/embedded/turns.ts";

const NEVER_MS = 3_600_000;
const done = () => Promise.resolve(false);
const keep = () => Promise.resolve(true);

function makeTurns(silenceMs = NEVER_MS) {
  const evicted: string[] = [];
  const turns = new Turns<string>(silenceMs, (client) => {
    evicted.push(client);
    return Promise.resolve();
  });
  return { turns, evicted };
}

describe("turns", () => {
  it("are given in the order in which they were asked for", async () => {
    const { turns } = makeTurns();
    const order: string[] = [];
    const take = (client: string) => turns.run(client, () => Promise.resolve(order.push(client)).then(done));
    await Promise.all(["a", "b", "c", "a", "b"].map(take));
    expect(order).toEqual(["a", "b", "c", "a", "b"]);
  });

  it("let one work at a time", async () => {
    const { turns } = makeTurns();
    let inside = 0;
    const work = async () => {
      expect(++inside).toBe(1);
      await Promise.resolve();
      inside--;
      return false;
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => turns.run(`client ${n % 3}`, work)));
  });

  it("stay with a client in a transaction until it is done, then go to who waited longest", async () => {
    const { turns } = makeTurns();
    const order: string[] = [];
    await turns.run("a", keep);
    const waiting = ["b", "c"].map((client) =>
      turns.run(client, () => Promise.resolve(order.push(client)).then(done))
    );
    await turns.run("a", () => Promise.resolve(order.push("a")).then(keep));
    await turns.run("a", () => Promise.resolve(order.push("a")).then(done));
    await Promise.all(waiting);
    expect(order).toEqual(["a", "a", "b", "c"]);
  });

  it("pass on when their owner leaves, after its transaction was ended", async () => {
    const { turns, evicted } = makeTurns();
    await turns.run("a", keep);
    const next = turns.run("b", () => Promise.resolve(expect(evicted).toEqual(["a"])).then(done));
    await turns.leave("a");
    await next;
  });

  it("are not given to who left while waiting, and nobody is evicted for it", async () => {
    const { turns, evicted } = makeTurns();
    await turns.run("a", keep);
    const never = vi.fn(done);
    void turns.run("b", never);
    await turns.leave("b");
    await turns.run("a", done);
    await turns.run("c", done);
    expect(never).not.toHaveBeenCalled();
    expect(evicted).toEqual([]);
  });

  it("are taken from an owner that stays silent too long", async () => {
    const { turns, evicted } = makeTurns(30);
    await turns.run("a", keep);
    await turns.run("b", done);
    expect(evicted).toEqual(["a"]);
  });

  it("are not taken from an owner whose statement takes long: it is not silent, it waits", async () => {
    const { turns, evicted } = makeTurns(20);
    await turns.run("a", keep);
    await turns.run("a", () => new Promise((resolve) => setTimeout(() => resolve(false), 80)));
    expect(evicted).toEqual([]);
  });

  it("go on after work that failed", async () => {
    const { turns } = makeTurns();
    await expect(turns.run("a", () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    await turns.run("b", done);
  });
});
