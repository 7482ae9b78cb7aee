import { describe, expect, it, vi } from "vitest";
import { initiateBatchProcessing, wakeForBatches } from "../../jobs/initiate_batch_processing.ts";
import { ingestFeeds } from "../../jobs/ingest_feeds.ts";
import type { Dispatcher, Message } from "../../jobs/queue/dispatcher.ts";
import type { Session } from "../../lib/batches/types.ts";
import type { Desk } from "../../lib/desk.ts";

function recordingDispatcher() {
  const sent: { message: Message; delayMs: number }[] = [];
  const dispatcher: Dispatcher = {
    enqueue: (message, delayMs = 0) => Promise.resolve(void sent.push({ message, delayMs })),
    listen: () => {},
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
    await initiateBatchProcessing({ start } as unknown as Desk, dispatcher, { limit: 1 }, "operator:test");
    expect(start).toHaveBeenCalledExactlyOnceWith({ limit: 1 }, "operator:test");
    expect(sent).toHaveLength(1);
    start.mockRejectedValueOnce(new Error("no article is ready"));
    await expect(initiateBatchProcessing({ start } as unknown as Desk, dispatcher, {}, "operator:test"))
      .rejects.toThrow(/no article/);
    expect(sent).toHaveLength(1);
  });
});

describe("taking in feeds", () => {
  it("goes on after a feed that fails and tells which one it was", async () => {
    const told: string[] = [];
    const ingest = vi.fn((feed: string) =>
      feed === "bad"
        ? Promise.reject(new Error("no answer"))
        : Promise.resolve({ source: feed, new: 1, known: 0, updated: 0, broken: [] })
    );
    await ingestFeeds(
      { ingest } as unknown as Desk,
      ["good", "bad", "better"],
      (level, fields, message) => void told.push(`${level} ${message} ${JSON.stringify(fields)}`),
    );
    expect(ingest.mock.calls.map(([feed]) => feed)).toEqual(["good", "bad", "better"]);
    expect(told.filter((line) => line.startsWith("warn"))).toEqual([expect.stringMatching(/bad.*no answer/)]);
  });
});
