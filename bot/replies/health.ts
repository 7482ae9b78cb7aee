/** Whether the desk is well, and what is not. */
import type { FormattedString } from "@grammyjs/parse-mode";
import type { SinkState } from "../../lib/alerts/sink_rows.ts";
import type { Alert } from "../../lib/alerts/types.ts";
import type { FeedState } from "../../lib/articles/feed_rows.ts";
import { describeInabilities, type PresentProcess } from "../../lib/batches/worker/presence.ts";
import type { CronState } from "../../lib/crons/read_crons.ts";
import type { Clock } from "./estimate.ts";
import { ago, blocks, clock, count, duration, facts, lines, plain, strong } from "./format.ts";
import { oneLine } from "./plain_text.ts";

export interface HealthFacts {
  /** How long the database took to answer, ms. */
  databaseMs: number;
  database: "embedded" | "postgres";
  workers: readonly PresentProcess[];
  crons: readonly CronState[];
  feeds: readonly FeedState[];
  sinks: readonly SinkState[];
  open: readonly Alert[];
  /** Updates from Telegram that nobody has handled yet. */
  waiting: number;
  /** Refused since this process started. */
  strangers: number;
  upMs: number;
}

export function describeHealth(health: HealthFacts, at: Clock): FormattedString {
  const faults = findFaults(health, at);
  return blocks(
    strong(faults.length === 0 ? "✅ All is well" : `🟠 ${count(faults.length, "thing")} to look at`),
    faults.length > 0 ? lines(...faults.map((fault) => plain(`· ${fault}`))) : null,
    facts([
      ["Database", `${health.database}, ${Math.max(1, Math.round(health.databaseMs))} ms`],
      ["Workers", describeWorkers(health.workers)],
      ["Alerts", health.open.length === 0 ? "none open" : `${health.open.length} open`],
      ["Sinks", describeSinks(health.sinks)],
      [
        "Feeds",
        health.feeds.length === 0
          ? "none"
          : `${health.feeds.filter(isWell).length} of ${health.feeds.length} well`,
      ],
      ["Next", describeNext(health.crons, at)],
      ["Waiting", health.waiting > 0 ? count(health.waiting, "update") : null],
      ["Strangers", health.strangers > 0 ? `${health.strangers} turned away` : null],
      ["Up", duration(health.upMs)],
    ]),
  );
}

function isWell({ failures }: FeedState): boolean {
  return failures === 0;
}

function describeWorkers(workers: readonly PresentProcess[]): string {
  const services = workers.filter(({ role }) => role === "service").length;
  if (workers.length === 0) return "none alive";
  return services === workers.length
    ? count(services, "service")
    : oneLine(workers.map(({ role }) => role).join(", "), 24);
}

function describeSinks(sinks: readonly SinkState[]): string | null {
  if (sinks.length === 0) return null;
  const failing = sinks.filter(({ failures }) => failures > 0).length;
  return failing === 0 ? `${sinks.length} well` : `${failing} of ${sinks.length} failing`;
}

function describeNext(crons: readonly CronState[], { now, zone }: Clock): string | null {
  const next = crons.filter(({ job, next_slot }) => next_slot !== null && job in JOB_WORDS)
    .toSorted((a, b) => (a.next_slot?.getTime() ?? 0) - (b.next_slot?.getTime() ?? 0))[0];
  return next?.next_slot ? `${JOB_WORDS[next.job]} ${clock(next.next_slot, zone, now)}` : null;
}

/** Crons that people wait for. */
const JOB_WORDS: Record<string, string> = {
  start_scheduled_session: "batch",
  ingest_feeds: "feeds",
  send_digest: "digest",
};

function findFaults({ workers, crons, feeds, sinks, open }: HealthFacts, { now }: Clock): string[] {
  return [
    ...(workers.length === 0 ? ["No worker is alive: start the service."] : []),
    ...describeInabilities(workers).map((line) => oneLine(line, 160)),
    ...open.filter(({ level }) => level === "critical").map(({ text }) => oneLine(text, 160)),
    ...crons.filter(({ overdue }) => overdue).map(({ job }) => `Cron ${job} is overdue.`),
    ...crons.filter(({ last_error, overdue }) => last_error !== null && !overdue)
      .map(({ job, last_error }) => `Cron ${job} failed: ${oneLine(last_error ?? "", 120)}`),
    ...feeds.filter((feed) => !isWell(feed)).map(({ location, last_error, last_ok_at }) =>
      `Feed ${oneLine(location, 60)} fails${last_ok_at ? ` since ${ago(last_ok_at, now)}` : ""}: ${
        oneLine(last_error ?? "", 100)
      }`
    ),
    ...sinks.filter(({ failures }) => failures > 0)
      .map(({ sink, error }) => `Alerts cannot reach ${sink}: ${oneLine(error ?? "", 100)}`),
  ];
}
