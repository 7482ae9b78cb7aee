/** Looks at a session's books from outside over and over, each time at one moment, while services live and die. */
import { isConnectionLost } from "../../lib/database/connection_lost.ts";
import { messageOf } from "../../lib/errors.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { sleep } from "./kill_moments.ts";
import type { Stage } from "./stage.ts";

export interface BookWatch {
  /** Looks that found a database. */
  looks: number;
  violations: string[];
  stop(): Promise<void>;
}

/** @param everyMs Between two looks: on the embedded database each one makes the service wait. */
export function watchBooks(
  stage: Pick<Stage, "watcher" | "sessionId">,
  everyMs: number,
  onLook: () => Promise<void> = () => Promise.resolve(),
): BookWatch {
  let stopped = false;
  const watch: BookWatch = {
    looks: 0,
    violations: [],
    async stop() {
      stopped = true;
      await done;
    },
  };
  const look = async () => {
    while (!stopped) {
      try {
        watch.violations.push(...await findViolations(stage.watcher, stage.sessionId));
        watch.looks++;
        await onLook();
      } catch (error) {
        // Nobody serves the database at this moment.
        if (!isConnectionLost(error)) watch.violations.push(`the watcher failed: ${messageOf(error)}`);
      }
      await sleep(everyMs);
    }
  };
  const done = look();
  return watch;
}
