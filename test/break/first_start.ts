/**
 * The first start of all, killed again and again: while the embedded database makes its files, while they are
 * migrated, while the queue makes its own. Whatever was left half made, the next start must come up.
 */
import { createRandom } from "../../notebooks/fixture/random.ts";
import { endProcesses } from "../helpers/process.ts";
import { sleep } from "./kill_moments.ts";
import { startServiceRun } from "./service_run.ts";

export interface FirstStartOptions {
  kills: number;
  seed: string;
  /** Address of an empty database; null for an embedded one. */
  makeDatabase: () => Promise<{ databaseUrl: string | null; dataDir: string; drop(): Promise<void> }>;
  /** Latest moment of a kill, ms after the start. */
  longestMs: number;
  say: (line: string) => void;
}

export interface FirstStartReport {
  kills: number;
  killsBeforeReady: number;
  violations: string[];
}

/** Each kill gets a database of its own. */
export async function runFirstStarts(options: FirstStartOptions): Promise<FirstStartReport> {
  const random = createRandom(`${options.seed} first starts`);
  const report: FirstStartReport = { kills: 0, killsBeforeReady: 0, violations: [] };
  while (report.kills < options.kills) {
    const database = await options.makeDatabase();
    const env = {
      ...(database.databaseUrl === null ? {} : { DATABASE_URL: database.databaseUrl }),
      DATA_DIR: database.dataDir,
      PORT: "0",
    };
    try {
      const first = startServiceRun("first", env);
      const afterMs = random() * options.longestMs;
      await Promise.race([sleep(afterMs), first.ended]);
      if (first.endedAt === null) first.signal("SIGKILL");
      await first.ended;
      report.kills++;
      if (first.readyAt === null) report.killsBeforeReady++;
      const second = startServiceRun("second", env);
      const ready = await second.ready;
      if (second.endedAt === null) second.signal("SIGKILL");
      await second.ended;
      if (!ready) {
        report.violations.push(
          `killed after ${Math.round(afterMs)} ms, it does not start again: ${
            second.lines.slice(-2).join(" ")
          }`,
        );
      }
      options.say(`killed after ${Math.round(afterMs)} ms: ${ready ? "starts" : "does not start"}`);
    } finally {
      await endProcesses();
      await database.drop();
    }
  }
  return report;
}
