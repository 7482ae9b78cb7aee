/**
 * `deno task demo`: a whole session on the sample articles, in a folder of its own, with no key and no server. It uses
 * the same desk as everything else; only the settings differ.
 */
import { join } from "node:path";
import { type Config, readConfig } from "../config.ts";
import { fromFileUrl } from "../database/paths.ts";
import { ACTOR, withDesk } from "./context.ts";
import { describeArticle } from "./describe_article.ts";
import { describeEstimate, describeSession } from "./describe_session.ts";
import { followSession } from "./follow.ts";
import { count, note, print } from "./output.ts";

const SAMPLES = fromFileUrl(new URL("../articles/samples", import.meta.url));

/** Where the demo lives; removed at its start, so that every run is a first one. */
function demoFolder(): string {
  return join(readConfig().dataDir, "demo");
}

export async function runDemo(): Promise<void> {
  const dataDir = demoFolder();
  await Deno.remove(dataDir, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const change: Partial<Config> = {
    databaseUrl: null,
    dataDir,
    analyst: "offline",
    dayBudget: null,
    batchDelayMs: 0,
    research: "off",
  };
  note("Nightdesk demo: sample articles, an embedded PostgreSQL, the offline analyst. No key, no bill.");
  note("Preparing the database …");
  await withDesk("demo", async (context) => {
    const { desk } = context;
    const report = await desk.ingest(SAMPLES);
    print(`\nTook in ${count(report.new, "article")}; ${report.known} known already (a copy of another one)`);
    const { counts } = await desk.articles(0);
    const refused = Object.entries(counts).filter(([verdict, n]) => verdict !== "ready" && n > 0)
      .map(([verdict, n]) => `${n} ${verdict.replaceAll("_", " ")}`).join(", ");
    print(`${counts.ready} are ready for analysis; refused: ${refused}\n`);
    print(describeEstimate(await desk.estimate({})));
    const { number } = await desk.start({}, ACTOR);
    note("");
    await followSession(context, number);
    print(`\n${describeSession(await desk.session(number))}`);
    const strongest = await strongestArticle(context.db.query, number);
    if (strongest !== null) {
      print(`\nThe article with the strongest signal:\n`);
      print(describeArticle(await desk.show(strongest)));
    }
  }, change);
  const prefix = `DATA_DIR=${/\s/.test(dataDir) ? `"${dataDir}"` : dataDir} deno task desk`;
  print(`\nLook around: ${prefix} articles | status | cost | show <article>`);
  print(`Or talk to it, as in Telegram: ${prefix} chat`);
}

async function strongestArticle(
  query: <Row extends object>(text: string, params?: readonly unknown[]) => Promise<{ rows: Row[] }>,
  sessionNumber: number,
): Promise<number | null> {
  const { rows } = await query<{ article_id: number }>(
    `SELECT article_id FROM article_analyses JOIN batch_processing_sessions s USING (session_id)
     WHERE s.number = $1 ORDER BY signal_strength DESC, article_id LIMIT 1`,
    [sessionNumber],
  );
  return rows[0]?.article_id ?? null;
}
