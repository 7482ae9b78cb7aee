/**
 * Sessions of 1,000 to 100,000 articles on the real service, and the choice of articles among a million.
 *
 *     deno run -A test/bench/scale.ts [--json] [--articles 1000,10000,100000] [--minutes 10]
 *
 * On the embedded database, and with BENCH_DATABASE_URL on that PostgreSQL server. Gemini is a fake that answers at
 * once. Memory is of the service's process; on the embedded database that includes the database.
 */
import { parseArgs } from "node:util";
import { type IdentifierScale, measureIdentifier } from "./scale/identifier_scale.ts";
import { measureSession, type SessionScale } from "./scale/session_scale.ts";

export interface ScaleOptions {
  /** Sizes of the sessions. */
  articles: readonly number[];
  /** Minutes that a session gets before it is cancelled. */
  minutes: number;
  /** A PostgreSQL server to measure on as well; null: the embedded database only. */
  server: string | null;
  tell: (line: string) => void;
}

export interface ScaleFigures {
  sessions: SessionScale[];
  identifiers: IdentifierScale[];
}

export async function measureScale(
  { articles, minutes, server, tell }: ScaleOptions,
): Promise<ScaleFigures> {
  const sessions: SessionScale[] = [];
  const identifiers: IdentifierScale[] = [];
  for (const on of server ? [server, null] : [null]) {
    for (const size of articles) {
      const figures = await measureSession(on, size, minutes);
      sessions.push(figures);
      tell(`${size} articles on ${figures.on}: ${figures.analyzed} analysed, ${figures.perSecond} a second`);
    }
    const identifier = await measureIdentifier(on);
    identifiers.push(identifier);
    tell(`identifier on ${identifier.on}: ${identifier.default200} ms`);
  }
  return { sessions, identifiers };
}

export function printScale({ sessions, identifiers }: ScaleFigures): void {
  console.log(
    "session     on         analysed  start s  articles/s  MB idle  median  peak   looks in another process, ms",
  );
  for (const each of sessions) {
    const looks = Object.entries(each.looks).map(([name, ms]) => `${name} ${ms}`).join(", ");
    console.log(
      String(each.articles).padEnd(11),
      each.on.padEnd(10),
      String(each.analyzed).padStart(8),
      each.startSeconds.toFixed(2).padStart(8),
      String(each.perSecond).padStart(11),
      String(each.idleMemory).padStart(8),
      String(each.memory.median).padStart(7),
      String(each.memory.peak).padStart(5),
      ` ${looks}`,
    );
  }
  console.log(
    "\nsession     on         path                 running p50   p99   ended p50   p99 ms      bytes",
  );
  for (const each of sessions) {
    for (const [path, running] of Object.entries(each.running)) {
      const ended = each.ended[path];
      console.log(
        String(each.articles).padEnd(11),
        each.on.padEnd(10),
        path.padEnd(20),
        ...[running.p50, running.p99, ended.p50, ended.p99].map((ms) => ms.toFixed(1).padStart(8)),
        String(running.bytes).padStart(14),
      );
    }
  }
  console.log("\nidentifier  on         among        200 of them  all 10,000  whole report, ms (medians)");
  for (const each of identifiers) {
    console.log(
      "".padEnd(11),
      each.on.padEnd(10),
      String(each.articles).padEnd(12),
      ...[each.default200, each.all10000, each.report].map((ms) => ms.toFixed(1).padStart(11)),
    );
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      json: { type: "boolean", default: false },
      articles: { type: "string", default: "1000,10000,100000" },
      minutes: { type: "string", default: "10" },
    },
  });
  const figures = await measureScale({
    articles: values.articles.split(",").map(Number),
    minutes: Number(values.minutes),
    server: Deno.env.get("BENCH_DATABASE_URL") ?? null,
    tell: (line) => console.error(line),
  });
  if (values.json) console.log(JSON.stringify(figures, null, 2));
  else printScale(figures);
  Deno.exit(0);
}
