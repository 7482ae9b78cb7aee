/**
 * The slots of a schedule: the moments, to the minute, at which it is due. Schedules are five cron fields in UTC as
 * croner reads them (0 and 7 are Sunday); Deno's own dialect counts Sunday as 1 and never sees them.
 */
import { Cron } from "croner";

/** What stands in the place of a schedule that does not run by itself. */
export const OFF = "off";

/** A clock that is ahead fires before the slot; as long as it is this near, ms, the slot is meant. */
export const EARLY_MS = 30_000;

/** The newest slot at `now` of the database's clock, or the one that is about to begin; null: there was none yet. */
export function newestSlot(schedule: string, now: Date): Date | null {
  if (schedule === OFF) return null;
  // The reference itself does not count as before it.
  const [newest] = parse(schedule).previousRuns(1, new Date(now.getTime() + EARLY_MS + 1));
  return newest ?? null;
}

/** The first slot after `after`; null: there is none any more. */
export function nextSlot(schedule: string, after: Date): Date | null {
  return schedule === OFF ? null : parse(schedule).nextRun(after);
}

function parse(schedule: string): Cron {
  return new Cron(schedule, { timezone: "UTC", paused: true });
}
