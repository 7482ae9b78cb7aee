/** From the command to "ready": `deno task start` on a database that exists already, embedded or on a server. */
import { startTask } from "../helpers/process.ts";
import { openBenchDatabase } from "./databases.ts";

export interface StartFigures {
  on: "embedded" | "postgres";
  /** Seconds of each start, in their order. */
  seconds: number[];
  median: number;
}

/** @param server Null: the embedded database. */
export async function measureStart(server: string | null, rounds: number): Promise<StartFigures> {
  const bench = await openBenchDatabase(server);
  try {
    // The service owns the embedded database, so this process must let go of it.
    if (!server) await bench.db.close();
    const env = {
      DATA_DIR: bench.dataDir,
      ...(bench.databaseUrl ? { DATABASE_URL: bench.databaseUrl } : {}),
      PORT: "0",
    };
    const seconds: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const started = performance.now();
      const service = startTask("start", [], env);
      await service.printed(/\bready\b/);
      // The first start is the one that fills caches.
      if (round > 0) seconds.push((performance.now() - started) / 1_000);
      service.kill("SIGTERM");
      await service.ended;
    }
    const median = seconds.toSorted((a, b) => a - b)[Math.floor(seconds.length / 2)]!;
    return { on: bench.name, seconds, median };
  } finally {
    await bench.close();
  }
}

export function printStart(rows: readonly StartFigures[]): void {
  console.log("on         start to ready, s (median of)");
  for (const { on, seconds, median } of rows) {
    const each = seconds.map((second) => second.toFixed(2)).join(", ");
    console.log(on.padEnd(10), `${median.toFixed(2)} (${each})`);
  }
}
