/** A process that lacks something for a session leaves it to the others; one that nobody can serve is paused. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { announceProcess, type Presence } from "../../lib/batches/worker/presence.ts";
import { UserError } from "../../lib/errors.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { openWorkerBench, type WorkerBench } from "../helpers/worker_bench.ts";

const test = useTestDatabase();
let bench: WorkerBench;
let present: Presence[];
let told: string[];

beforeEach(async () => {
  bench = await openWorkerBench(test.db);
  [present, told] = [[], []];
  await addArticles(test.db, 5);
});
afterEach(async () => {
  await bench.close();
  for (const presence of present) await presence.leave();
});

async function announce(...processes: [id: string, role: string][]): Promise<void> {
  for (const [id, role] of processes) present.push(await announceProcess(test.db, id, role));
}

/** A worker without a key. */
function startUnable(): void {
  bench.makeWorker({
    idleLookMs: 20,
    makeAnalyst: () => {
      throw new UserError("it needs a key");
    },
    log: (_level, { error }, message) => void told.push(`${message}: ${error}`),
  }).start();
}

async function listPauses() {
  const { rows } = await test.db.query<{ detail: unknown }>(
    "SELECT detail FROM session_events WHERE action = 'session_paused'",
  );
  return rows.map(({ detail }) => detail);
}

const WHY = { reason: "not_possible_here", error: "it needs a key" };

describe("a session that one process cannot serve", () => {
  it("is left to one that can, and the process says so once", async () => {
    await announce(["worker:test-1", "worker"], ["worker:test-2", "worker"]);
    const { number } = await bench.desk.start({}, "operator:test");
    startUnable();
    // Several looks.
    const noted = async () =>
      (await test.db.query("SELECT FROM workers WHERE unable ? '1' AND seen_at IS NOT NULL")).rows.length;
    await vi.waitFor(async () => expect(await noted()).toBe(1), 10_000);
    expect((await bench.desk.progress(number)).session.status).toBe("PROCESSING");
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 5 });
    expect(await listPauses()).toEqual([]);
    expect(told).toEqual(["this process cannot serve the session; left to the others: it needs a key"]);
  });

  it("is paused with the reason when no process alive can serve it", async () => {
    await announce(["worker:test-1", "worker"], ["worker:test-2", "worker"], ["web:test", "web"]);
    const { number } = await bench.desk.start({}, "operator:test");
    startUnable();
    startUnable();
    const paused = await bench.until(number, ({ status }) => status === "PAUSED");
    expect(paused).toMatchObject({ reason: "not_possible_here", resume_at: null });
    expect(await listPauses()).toEqual([expect.objectContaining(WHY)]);
  });

  it("is paused when the only one that could is gone", async () => {
    await announce(["worker:test-1", "worker"], ["worker:other", "worker"]);
    const { number } = await bench.desk.start({}, "operator:test");
    startUnable();
    await vi.waitFor(() => expect(told).toHaveLength(1), 10_000);
    await present.pop()!.leave();
    await bench.until(number, ({ status }) => status === "PAUSED");
    expect(await listPauses()).toEqual([expect.objectContaining(WHY)]);
  });
});
