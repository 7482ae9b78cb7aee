/** Quiet hours and "until morning", by the clock on the wall of a time zone. Changes of summer time are the zone's. */
import type { QuietHours } from "../config_values.ts";

const MINUTES_PER_HOUR = 60;
/** Where no quiet hours say when the morning is. */
const MORNING = 7 * MINUTES_PER_HOUR;

/** True while only critical alerts are sent. The first minute is quiet, the last one is not. */
export function isQuiet(now: Date, quiet: QuietHours | null, timeZone: string): boolean {
  if (quiet === null) return false;
  const { hour, minute } = inZone(now, timeZone);
  const at = hour * MINUTES_PER_HOUR + minute;
  return quiet.from <= quiet.to ? at >= quiet.from && at < quiet.to : at >= quiet.from || at < quiet.to;
}

/** The next end of the quiet hours, or the next 7:00; a time that a clock change skips comes right after it. */
export function nextMorning(now: Date, quiet: QuietHours | null, timeZone: string): Date {
  const minutes = quiet?.to ?? MORNING;
  const wall = { hour: Math.floor(minutes / MINUTES_PER_HOUR), minute: minutes % MINUTES_PER_HOUR };
  const here = inZone(now, timeZone);
  const today = here.withPlainTime(wall);
  const next = Temporal.ZonedDateTime.compare(today, here) > 0
    ? today
    : here.add({ days: 1 }).withPlainTime(wall);
  return new Date(next.epochMilliseconds);
}

function inZone(at: Date, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timeZone);
}
