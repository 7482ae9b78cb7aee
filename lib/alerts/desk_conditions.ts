/** The conditions of the desk as a whole: crons, feeds and the caps of a day. Pure, like those of sessions. */
import { createHash } from "node:crypto";
import { showLocation } from "../articles/feed_location.ts";
import type { CronState } from "../crons/read_crons.ts";
import { nextSlot } from "../crons/slots.ts";
import { formatUsd, type Micros } from "../money.ts";
import type { Thresholds } from "./conditions.ts";
import { dedupeKey, type NewAlert } from "./raise.ts";
import { dayKey } from "./exhausted_alerts.ts";
import type { DeskSnapshot } from "./snapshot.ts";
import type { Alert } from "./types.ts";
import { count, money, percent, utcTime } from "./words.ts";

/**
 * A slot that nobody took this long after its time is missed, ms. Follows from how crons work and is no matter of taste:
 * each process fires once a minute, and one that died keeps its slot for 45 s (lib/crons/cron_rows.ts).
 */
const GRACE_MS = 3 * 60_000;
/** How long a cron may fail without one success, ms: for longer than a slot is tried again (lib/crons/cron_rows.ts). */
const FAILING_MS = 10 * 60_000;

/** Everything that should be open about the desk; `open` is what is. */
export function findDeskAlerts(
  desk: DeskSnapshot,
  thresholds: Thresholds,
  open: readonly Alert[],
): NewAlert[] {
  return [
    ...findCrons(desk, open),
    ...findDisagreements(desk),
    ...findFeeds(desk, thresholds),
    ...findDays(desk, thresholds, open),
  ];
}

function findCrons({ crons, now, service_since: service }: DeskSnapshot, open: readonly Alert[]): NewAlert[] {
  const missed = crons.flatMap((cron) => {
    const slot = findMissedSlot(cron, now, service);
    return slot === null ? [] : [{ ...cron, slot }];
  });
  // Without a service none of them runs, and that is one trouble.
  const alone = service === null && missed.length > 0;
  return [
    ...(alone ? [describeNoService(missed.map(({ job }) => job))] : missed.map(describeMissed)),
    ...crons.filter((cron) => keepsFailing(cron, now, open)).map(describeFailing),
  ];
}

/** The slot that should have been taken by now and was not; null when all is well. */
export function findMissedSlot(
  { schedule, since, last_slot, running }: Pick<CronState, "schedule" | "since" | "last_slot" | "running">,
  now: Date,
  service: Date | null,
): Date | null {
  // Slots from before there was a service to take them, or under another schedule, are nobody's fault.
  const known = [since, last_slot, service].map((at) => at?.getTime() ?? 0);
  const slot = nextSlot(schedule, new Date(Math.max(...known)));
  return slot === null || running || now.getTime() - slot.getTime() < GRACE_MS ? null : slot;
}

function describeNoService(jobs: readonly string[]): NewAlert {
  return {
    rule: "cron_not_running",
    text: `No service runs, so ${count(jobs.length, "cron")} stand still: ${jobs.join(", ")}`,
    detail: { jobs },
  };
}

function describeMissed({ job, schedule, last_slot, slot }: CronState & { slot: Date }): NewAlert {
  const last = last_slot === null ? "It never ran" : `It ran last for ${utcTime(last_slot)}`;
  return {
    rule: "cron_not_running",
    subject: job,
    text: `The cron ${job} (${schedule}) should have run at ${utcTime(slot)} and did not. ${last}`,
    detail: { job, schedule, last_slot, slot },
  };
}

/**
 * The newest run failed, and none went well for a while: one bad minute of a cron of every minute is no news. Nor is a
 * slot that is tried again soon, until that fails too; but what was told is over only with a success.
 */
function keepsFailing(
  { job, last_error, last_ok_at, retry_at }: CronState,
  now: Date,
  open: readonly Alert[],
): boolean {
  if (last_error === null) return false;
  if (open.some(({ dedupe_key }) => dedupe_key === dedupeKey({ rule: "cron_failing", subject: job }))) {
    return true;
  }
  return retry_at === null && (last_ok_at === null || now.getTime() - last_ok_at.getTime() > FAILING_MS);
}

function describeFailing({ job, last_error, last_ok_at }: CronState): NewAlert {
  const last = last_ok_at === null ? "It never went well" : `It went well last at ${utcTime(last_ok_at)}`;
  return {
    rule: "cron_failing",
    subject: job,
    text: `The cron ${job} fails: ${last_error}. ${last}`,
    detail: { job, error: last_error, last_ok_at },
  };
}

function findDisagreements({ disagreements }: DeskSnapshot): NewAlert[] {
  return disagreements.map(({ job, schedules }) => ({
    rule: "schedules_differ",
    subject: job,
    text:
      `Processes that run now have different schedules for the cron ${job}: ${schedules.join(" and ")}. ` +
      `${schedules[0]} holds`,
    detail: { job, schedules },
  }));
}

function findFeeds({ feeds }: DeskSnapshot, { feedFailures }: Thresholds): NewAlert[] {
  return feeds.filter(({ failures }) => failures >= feedFailures).map(
    ({ location, failures, last_error }) => {
      const feed = showLocation(location);
      // Feeds may differ in nothing but what is not shown.
      const mark = createHash("sha256").update(location).digest("hex").slice(0, 8);
      return {
        rule: "feed_failing",
        subject: `${feed}#${mark}`,
        text: `The feed ${feed} failed ${failures} times in a row: ${last_error ?? "nobody knows why"}`,
        detail: { feed, failures },
      };
    },
  );
}

function findDays({ days }: DeskSnapshot, { warnPercent }: Thresholds, open: readonly Alert[]): NewAlert[] {
  return days.flatMap(({ day, simulated, budget, spent }): NewAlert[] => {
    const subject = dayKey(day, simulated);
    // Raised by the session that found no room; it lasts until the day is over or its cap was raised.
    const exhausted = open.find(({ dedupe_key }) => dedupe_key === `day_budget_exhausted:${subject}`);
    const cap = exhausted && Number(exhausted.detail.budget);
    if (exhausted && cap !== undefined && budget <= cap) {
      return [{ rule: "day_budget_exhausted", subject, text: exhausted.text }];
    }
    if (spent * 100 < budget * warnPercent) return [];
    return [{
      rule: "day_budget_warning",
      subject,
      text: `${percent(spent, budget)} % of the budget of ${day} (UTC) is spent: ` +
        `${money(spent as Micros, simulated)} of ${formatUsd(budget)}`,
      detail: { day, spent, budget, simulated },
    }];
  });
}
