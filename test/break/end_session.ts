/** How a session stands, and waiting for its end while somebody else works on it. */
import { isLive, type SessionStatus } from "../../lib/batches/types.ts";
import { isConnectionLost } from "../../lib/database/connection_lost.ts";
import { sleep } from "./kill_moments.ts";
import type { ServiceRun } from "./service_run.ts";
import type { Stage } from "./stage.ts";

export interface SessionStanding {
  status: SessionStatus;
  reason: string | null;
}

/** Rejects while the database cannot be reached. */
export async function readStatus(
  { watcher, sessionId }: Pick<Stage, "watcher" | "sessionId">,
): Promise<SessionStanding> {
  const { rows: [row] } = await watcher.query<SessionStanding>(
    "SELECT status, reason FROM batch_processing_sessions WHERE session_id = $1",
    [sessionId],
  );
  return row;
}

/** Resolves when the session has ended; throws when it has not after `withinMs`, or when one of `runs` is gone. */
export async function waitForEnd(
  stage: Pick<Stage, "watcher" | "sessionId">,
  runs: readonly ServiceRun[],
  withinMs: number,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (true) {
    await sleep(300);
    const gone = runs.find((run) => run.endedAt !== null);
    if (gone) throw new Error(`${gone.name} ended by itself: ${gone.lines.slice(-3).join("\n")}`);
    const standing = await readStatus(stage).catch((error) => {
      if (!isConnectionLost(error)) throw error;
      return null;
    });
    if (standing && !isLive(standing.status)) return;
    if (Date.now() > deadline) {
      throw new Error(`the session did not end: ${standing ? JSON.stringify(standing) : "out of reach"}`);
    }
  }
}
