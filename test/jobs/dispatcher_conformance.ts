/** What every dispatcher must do. An adapter's test file calls `describeDispatcherConformance` with its own maker. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Dispatcher, Handler, Message } from "../../jobs/queue/dispatcher.ts";

export interface DispatcherSetup {
  dispatcher: Dispatcher;
  /** What the adapter logged so far, as text. */
  logged(): string;
}

export interface DispatcherMaker {
  /** How many handlers the adapter runs at once. */
  handlersAtOnce: number;
  /**
   * A dispatcher over storage of its own.
   * @param foreign Put into the storage beforehand, as somebody else might have.
   */
  make(foreign?: unknown): Promise<DispatcherSetup>;
  /** A new dispatcher over the storage of the last one, as after a restart. */
  reopen(): Promise<DispatcherSetup>;
  /** Removes the storage; every dispatcher has been stopped. */
  clean(): Promise<void>;
}

const WAKE: Message = { queue: "batch_processing", job: "batch_analyze_articles", session: 1, batch: 1 };
const numbered = (batch: number): Message => ({ ...WAKE, batch });

export function describeDispatcherConformance(name: string, maker: DispatcherMaker): void {
  describe(`the ${name} dispatcher`, () => {
    const open: Dispatcher[] = [];
    const start = async (making: Promise<DispatcherSetup>): Promise<DispatcherSetup> => {
      const setup = await making;
      open.push(setup.dispatcher);
      return setup;
    };
    afterEach(async () => {
      await Promise.all(open.splice(0).map((dispatcher) => dispatcher.stop()));
      await maker.clean();
    });

    it("delivers a message whole, to the handler of its queue only", async () => {
      const { dispatcher } = await start(maker.make());
      const [ours, others] = [vi.fn<Handler>(async () => {}), vi.fn<Handler>(async () => {})];
      dispatcher.listen({ batch_processing: ours, newsletter: others });
      await dispatcher.enqueue(WAKE);
      await vi.waitFor(() => expect(ours).toHaveBeenCalledExactlyOnceWith(WAKE), 5_000);
      expect(others).not.toHaveBeenCalled();
    });

    it("delivers what was enqueued before anybody listened", async () => {
      const { dispatcher } = await start(maker.make());
      await dispatcher.enqueue(WAKE);
      const handler = vi.fn<Handler>(async () => {});
      dispatcher.listen({ batch_processing: handler });
      await vi.waitFor(() => expect(handler).toHaveBeenCalledOnce(), 5_000);
    });

    it("delivers a delayed message not before its time", async () => {
      const { dispatcher } = await start(maker.make());
      const began = Date.now();
      const took: Record<number, number> = {};
      dispatcher.listen({
        batch_processing: ({ batch = 0 }) => Promise.resolve(void (took[batch] = Date.now() - began)),
      });
      await dispatcher.enqueue(numbered(2), 400);
      await dispatcher.enqueue(numbered(1));
      await vi.waitFor(() => expect(Object.keys(took)).toEqual(["1", "2"]), 5_000);
      expect(took[2]).toBeGreaterThanOrEqual(400);
    });

    it("delivers to the next process what was not due before this one stopped", async () => {
      const { dispatcher } = await start(maker.make());
      dispatcher.listen({});
      await dispatcher.enqueue(WAKE, 300);
      open.splice(0);
      await dispatcher.stop();
      const { dispatcher: next } = await start(maker.reopen());
      const handler = vi.fn<Handler>(async () => {});
      next.listen({ batch_processing: handler });
      await vi.waitFor(() => expect(handler).toHaveBeenCalledExactlyOnceWith(WAKE), 10_000);
    });

    it("drops what is not a message of ours, says so, and goes on", async () => {
      const foreign = { queue: "batch_processing", job: "rm -rf" };
      const { dispatcher, logged } = await start(maker.make(foreign));
      const handler = vi.fn<Handler>(async () => {});
      dispatcher.listen({ batch_processing: handler });
      await vi.waitFor(
        () => expect(logged()).toMatch(/not a message of ours.*rm -rf|rm -rf.*not a message of ours/),
        5_000,
      );
      await dispatcher.enqueue(WAKE);
      await vi.waitFor(() => expect(handler).toHaveBeenCalledExactlyOnceWith(WAKE), 5_000);
    });

    it("drops a message whose queue nobody handles, says so, and goes on", async () => {
      const { dispatcher, logged } = await start(maker.make());
      const handler = vi.fn<Handler>(async () => {});
      dispatcher.listen({ batch_processing: handler });
      await dispatcher.enqueue({ queue: "publishing", job: "ingest_feeds" });
      await vi.waitFor(() => expect(logged()).toMatch(/no handler for this queue/), 5_000);
      await dispatcher.enqueue(WAKE);
      await vi.waitFor(() => expect(handler).toHaveBeenCalledExactlyOnceWith(WAKE), 5_000);
    });

    it("gives a message again when its handler failed, and says why", async () => {
      const { dispatcher, logged } = await start(maker.make());
      const handler = vi.fn<Handler>(async () => {}).mockRejectedValueOnce(new Error("the database is away"));
      dispatcher.listen({ batch_processing: handler });
      await dispatcher.enqueue(WAKE);
      await vi.waitFor(() => expect(handler).toHaveBeenCalledTimes(2), 10_000);
      expect(handler.mock.calls).toEqual([[WAKE], [WAKE]]);
      expect(logged()).toMatch(/the database is away/);
    });

    it(`runs ${maker.handlersAtOnce} handlers at once and delivers every message in the end`, async () => {
      const { dispatcher } = await start(maker.make());
      const gate = Promise.withResolvers<void>();
      const seen = new Set<number>();
      let [inside, most] = [0, 0];
      dispatcher.listen({
        batch_processing: async ({ batch = 0 }) => {
          most = Math.max(most, ++inside);
          await gate.promise;
          inside--;
          seen.add(batch);
        },
      });
      for (let n = 1; n <= maker.handlersAtOnce * 4; n++) await dispatcher.enqueue(numbered(n));
      await vi.waitFor(() => expect(inside).toBe(maker.handlersAtOnce), 5_000);
      gate.resolve();
      await vi.waitFor(() => expect(seen.size).toBe(maker.handlersAtOnce * 4), 10_000);
      expect(most).toBe(maker.handlersAtOnce);
    });

    it("waits for the handlers that run when it stops, and starts none of those that waited", async () => {
      const { dispatcher } = await start(maker.make());
      const gate = Promise.withResolvers<void>();
      let [started, ended] = [0, 0];
      dispatcher.listen({
        batch_processing: async () => {
          started++;
          await gate.promise;
          ended++;
        },
      });
      for (let n = 1; n <= maker.handlersAtOnce * 2; n++) await dispatcher.enqueue(numbered(n));
      await vi.waitFor(() => expect(started).toBe(maker.handlersAtOnce), 5_000);
      open.splice(0);
      const stopped = dispatcher.stop().then(() => ended);
      expect(ended).toBe(0);
      gate.resolve();
      expect(await stopped).toBe(maker.handlersAtOnce);
      expect(started).toBe(maker.handlersAtOnce);
    });
  });
}
