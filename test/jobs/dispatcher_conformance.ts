/** What every dispatcher must do. An adapter's test file calls `describeDispatcherConformance` with its own maker. */
import { afterEach, describe } from "vitest";
import type { Dispatcher, Message } from "../../jobs/queue/dispatcher.ts";
import { endProcesses, type RunningProcess, startChild } from "../helpers/process.ts";
import { describeDelivery } from "./dispatchers/delivery.ts";
import { describeHealth } from "./dispatchers/health.ts";
import { describeStop } from "./dispatchers/stop.ts";
import { describeTrouble } from "./dispatchers/trouble.ts";

export interface DispatcherSetup {
  dispatcher: Dispatcher;
  /** What the adapter logged so far, as text. */
  logged(): string;
}

export interface DispatcherMaker {
  /** How many handlers the adapter runs at once. */
  handlersAtOnce: number;
  /** How long it may take until a message comes again whose process was killed, ms. */
  redeliveryMs: number;
  /**
   * A dispatcher over storage of its own.
   * @param foreign Put into the storage beforehand, as somebody else might have.
   */
  make(foreign?: unknown): Promise<DispatcherSetup>;
  /** A new dispatcher over the storage of the last one, as after a restart. */
  reopen(): Promise<DispatcherSetup>;
  /** The settings that lead another process to the same storage. */
  settings(): Record<string, string>;
  /** Removes the storage; every dispatcher has been stopped. */
  clean(): Promise<void>;
}

/** What the parts of the suite use. */
export interface DispatcherBench extends Omit<DispatcherMaker, "clean" | "settings"> {
  /** Stops it now; otherwise it is stopped after the test. */
  stop(dispatcher: Dispatcher, withinMs?: number): Promise<void>;
  /** A process of its own on the same storage (test/helpers/children/use_queue.ts). */
  startOther(env?: Record<string, string>): RunningProcess;
}

export const WAKE: Message = {
  queue: "batch_processing",
  job: "batch_analyze_articles",
  session: 1,
  batch: 1,
};
export const numbered = (batch: number): Message => ({ ...WAKE, batch });

export function describeDispatcherConformance(name: string, maker: DispatcherMaker): void {
  describe(`the ${name} dispatcher`, () => {
    const open = new Set<Dispatcher>();
    const keep = async (making: Promise<DispatcherSetup>): Promise<DispatcherSetup> => {
      const setup = await making;
      open.add(setup.dispatcher);
      return setup;
    };
    const bench: DispatcherBench = {
      ...maker,
      make: (foreign) => keep(maker.make(foreign)),
      reopen: () => keep(maker.reopen()),
      stop(dispatcher, withinMs) {
        open.delete(dispatcher);
        return dispatcher.stop(withinMs);
      },
      startOther: (env) => startChild("use_queue", { ...maker.settings(), ...env }),
    };
    afterEach(async () => {
      await Promise.all([...open].map((dispatcher) => bench.stop(dispatcher)));
      await endProcesses();
      await maker.clean();
    });
    describeDelivery(bench);
    describeTrouble(bench);
    describeStop(bench);
    describeHealth(bench);
  });
}
