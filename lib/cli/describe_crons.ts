/** Crons and feeds as tables. */
import type { FeedState } from "../articles/feed_rows.ts";
import type { CronState } from "../crons/read_crons.ts";
import { OFF } from "../crons/slots.ts";
import { duration, shorten } from "./output.ts";
import { formatTable } from "./table.ts";

/** Errors are cut to this many characters; `--json` has them whole. */
const ERROR_CHARS = 60;

/** @param jobs All there are: those that no service has set yet are shown, too. */
export function describeCrons(
  crons: readonly CronState[],
  jobs: readonly { job: string; help: string }[],
  now: Date,
): string {
  const table = formatTable(
    [
      { title: "job" },
      { title: "schedule (UTC)" },
      { title: "last slot" },
      { title: "next" },
      { title: "state" },
    ],
    jobs.map(({ job }) => {
      const cron = crons.find((state) => state.job === job);
      if (!cron) return [job, "", "", "", "not set yet"];
      return [job, cron.schedule, minute(cron.last_slot), minute(cron.next_slot), describeState(cron, now)];
    }),
  );
  const lines = [table, "", ...jobs.map(({ job, help }) => `  ${job.padEnd(26)}${help}`)];
  if (crons.length === 0) lines.push("", "No service has run yet: start one with: deno task start");
  else if (crons.some(({ overdue }) => overdue)) {
    lines.push("", "Overdue: no service runs, or it cannot run them. Start one with: deno task start");
  }
  return lines.join("\n");
}

function describeState(cron: CronState, now: Date): string {
  const { schedule, running, running_since, overdue, last_error, last_ok_at, runs } = cron;
  const cutShort = running_since !== null && !running;
  const parts = [
    running && running_since ? `running for ${duration(now.getTime() - running_since.getTime())}` : null,
    overdue ? "overdue" : null,
    cutShort ? "cut short" : null,
    last_error !== null ? `failed: ${shorten(last_error, ERROR_CHARS)}` : null,
    !cutShort && !overdue && last_error === null && last_ok_at !== null ? "ok" : null,
    runs === 0 && running_since === null ? "not run yet" : null,
  ].filter((part) => part !== null);
  return (schedule === OFF ? [OFF] : parts).join(", ");
}

export function describeFeeds(feeds: readonly FeedState[]): string {
  if (feeds.length === 0) return "No feeds are set: name some in FEEDS";
  return formatTable(
    [{ title: "feed" }, { title: "last success" }, { title: "added", align: "right" }, { title: "state" }],
    feeds.map((feed) => [feed.location, minute(feed.last_ok_at), feed.added, describeReading(feed)]),
  );
}

function describeReading({ last_run_at, last_error, failures }: FeedState): string {
  if (last_run_at === null) return "not read yet";
  if (last_error === null) return "ok";
  return `failed ${failures === 1 ? "once" : `${failures} times in a row`}: ${
    shorten(last_error, ERROR_CHARS)
  }`;
}

function minute(at: Date | null): string {
  return at === null ? "" : at.toISOString().slice(0, 16).replace("T", " ");
}
