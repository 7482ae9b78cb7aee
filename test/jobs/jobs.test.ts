import { describe, expect, it, vi } from "vitest";
import { initiateBatchProcessing, wakeForBatches } from "../../jobs/initiate_batch_processing.ts";
import type { Dispatcher, Message } from "../../jobs/queue/dispatcher.ts";
import type { Session } from "../../lib/batches/types.ts";
import type { Desk } from "../../lib/desk.ts";

function recordingDispatcher() {
  const sent: { message: Message; delayMs: number }[] = [];
  const dispatcher: Dispatcher = {
    enqueue: (message, delayMs = 0) => Promise.resolve(void sent.push({ message, delayMs })),
    listen: () => {},
    healthy: () => null,
    stop: () => Promise.resolve(),
  };
  return { sent, dispatcher };
}

function sessionOf(total: number, createdAt = new Date()): Session {
  return {
    number: 3,
    total,
    created_at: createdAt,
    settings: { batchSize: 10, batchDelayMs: 30_000 },
  } as Session;
}

describe("a session that starts", () => {
  it("has a wake-up for the moment each of its batches is due", async () => {
    const { sent, dispatcher } = recordingDispatcher();
    await wakeForBatches(dispatcher, sessionOf(25));
    expect(sent.map(({ message }) => [message.session, message.batch])).toEqual([[3, 1], [3, 2], [3, 3]]);
    for (const [index, { delayMs }] of sent.entries()) {
      expect(delayMs).toBeLessThanOrEqual(index * 30_000);
      expect(delayMs).toBeGreaterThanOrEqual(Math.max(0, index * 30_000 - 1_000));
    }
  });

  it("is woken at once for batches that are overdue after a restart", async () => {
    const { sent, dispatcher } = recordingDispatcher();
    await wakeForBatches(dispatcher, sessionOf(30, new Date(Date.now() - 3_600_000)));
    expect(sent.map(({ delayMs }) => delayMs)).toEqual([0, 0, 0]);
  });

  it("sends no more than a hundred wake-ups however many articles it has", async () => {
    const { sent, dispatcher } = recordingDispatcher();
    await wakeForBatches(dispatcher, sessionOf(100_000));
    expect(sent).toHaveLength(100);
  });

  it("is stored before anybody is woken for it", async () => {
    const { sent, dispatcher } = recordingDispatcher();
    const start = vi.fn(() => Promise.resolve(sessionOf(1)));
    const context = { desk: { start } as unknown as Desk, dispatcher, log: () => {} };
    const notice = vi.fn();
    await initiateBatchProcessing(context, { limit: 1 }, "operator:test", { key: "key", notice });
    expect(start).toHaveBeenCalledExactlyOnceWith({ limit: 1 }, "operator:test", { key: "key", notice });
    expect(sent).toHaveLength(1);
    start.mockRejectedValueOnce(new Error("no article is ready"));
    await expect(initiateBatchProcessing(context, {}, "operator:test")).rejects.toThrow(/no article/);
    expect(sent).toHaveLength(1);
  });

  it("has started also when the queue takes no wake-up, and the log says why that is", async () => {
    const dispatcher = { enqueue: () => Promise.reject(new Error("the queue is closed")) };
    const log = vi.fn();
    const desk = { start: () => Promise.resolve({ ...sessionOf(1), repeated: false }) };
    expect(await initiateBatchProcessing({ desk, dispatcher, log }, {}, "operator:test")).toMatchObject({
      number: 3,
    });
    expect(log).toHaveBeenCalledExactlyOnceWith(
      "warn",
      { session: 3, error: "the queue is closed" },
      expect.stringContaining("could not wake"),
    );
  });
});
