/** The commands about articles: taking them in, saying which are ready, showing one. */
import type { Command } from "commander";
import { showLocation } from "../articles/feed_location.ts";
import { type Verdict, VERDICTS } from "../articles/identifier.ts";
import { UsageError } from "../errors.ts";
import type { IngestReport } from "../articles/types.ts";
import { parseCount } from "./arguments.ts";
import { ACTOR, withDesk } from "./context.ts";
import { describeArticle } from "./describe_article.ts";
import { showIngestProgress } from "./ingest_progress.ts";
import type { ExitCode } from "./main.ts";
import { count, note, print, printJson, shorten } from "./output.ts";

/** Broken entries that are listed one by one; more are only counted. */
const LISTED_BROKEN = 10;

const VERDICT_WORDS: Record<Verdict, string> = {
  ready: "ready",
  too_short: "too short",
  empty: "empty",
  wrong_language: "wrong language",
  too_long: "too long for the model",
  in_session: "in a live session",
  given_up: "given up (the provider refuses it)",
  analyzed: "already analysed",
};

export function addArticleCommands(program: Command, done: (code: ExitCode) => void): void {
  program.command("ingest").description("take articles in; without a source, from FEEDS")
    .argument("[source...]", "feed address, feed file, .json, .jsonl, .md, or a folder of .md")
    .option("--json", "one JSON document")
    .action(async (sources: string[], { json }: { json?: boolean }) => {
      await withDesk("ingest", async ({ desk, config }) => {
        const wanted = sources.length > 0 ? sources : config.feeds;
        if (wanted.length === 0) {
          note("Nothing to take in: name a source, or set FEEDS");
          return done(2);
        }
        const reports: IngestReport[] = [];
        const progress = showIngestProgress();
        try {
          for (const source of wanted) reports.push(await desk.ingest(source, { onProgress: progress.show }));
        } finally {
          progress.stop();
        }
        if (json) printJson(reports);
        else print(reports.map(describeIngest).join("\n"));
      });
    });

  program.command("articles").description("which articles are ready, which are refused and why")
    .option("--examples <n>", "of each verdict", parseCount, 3)
    .option("--json", "one JSON document")
    .action(async ({ examples, json }: { examples: number; json?: boolean }) => {
      await withDesk("articles", async ({ desk }) => {
        const report = await desk.articles(examples);
        if (json) return printJson(report);
        print(`${count(report.total, "article")}, ${report.counts.ready} ready for analysis`);
        for (const verdict of VERDICTS) {
          if (report.counts[verdict] === 0) continue;
          print(`  ${String(report.counts[verdict]).padStart(6)}  ${VERDICT_WORDS[verdict]}`);
          for (const example of report.examples[verdict]) {
            const why = example.reason ? ` (${shorten(example.reason, 60)})` : "";
            const language = verdict === "wrong_language" ? ` [${example.language}]` : "";
            print(
              `          #${example.id} ${shorten(example.title, 60)}, ` +
                `${example.chars.toLocaleString("en-US")} characters${language}${why}`,
            );
          }
        }
      });
    });

  program.command("retry").description("take back that articles were given up: the provider takes them now")
    .argument("[article...]", "article numbers", (id: string, ids: number[]) => [...ids, parseCount(id)], [])
    .option("--all", "every article that was given up")
    .option("--json", "their numbers as one JSON document")
    .action(async (ids: number[], { all, json }: { all?: boolean; json?: boolean }) => {
      if ((ids.length > 0) === (all === true)) {
        throw new UsageError("Cannot retry: wanted the numbers of articles, or --all, one or the other");
      }
      await withDesk("retry", async ({ desk }) => {
        const freed = await desk.tryAgain(all ? null : ids, ACTOR);
        if (json) return printJson(freed);
        if (freed.length === 0) return print("None of them was given up");
        print(`${count(freed.length, "article")} ready again: ${freed.map((id) => `#${id}`).join(" ")}`);
      });
    });

  program.command("show").description("an article with its analysis, evidence and every paid call")
    .argument("<article>", "article number", parseCount)
    .option("--json", "one JSON document")
    .action(async (id: number, { json }: { json?: boolean }) => {
      await withDesk("show", async ({ desk }) => {
        const shown = await desk.show(id);
        if (json) printJson(shown);
        else print(describeArticle(shown));
      });
    });
}

function describeIngest(report: IngestReport): string {
  const source = showLocation(report.source);
  if (report.unchanged) return `${source}: not changed since it was read last`;
  const lines = [
    `${source}: ${report.new} new, ${report.known} known, ${report.updated} updated, ` +
    `${report.broken.length} broken`,
  ];
  for (const { where, reason } of report.broken.slice(0, LISTED_BROKEN)) {
    lines.push(`  broken: ${shorten(where, 60)}: ${shorten(reason, 120)}`);
  }
  if (report.broken.length > LISTED_BROKEN) lines.push(`  and ${report.broken.length - LISTED_BROKEN} more`);
  if (report.notGranted) {
    lines.push(`  only teasers from ${report.notGranted.join(", ")}: add these hosts to FEED_HOSTS`);
  }
  return lines.join("\n");
}
