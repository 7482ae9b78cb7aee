/** UTC days on an axis, and their grouping to weeks, months or years where days would be too thin to see. */

import type { SlotLabel } from "./slots.ts";

const DAY_MS = 86_400_000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

export type Period = "day" | "week" | "month" | "year";

/** Equal places along an axis, one a period, without holes: a period without data has its place too. */
export interface Calendar {
  period: Period;
  labels: SlotLabel[];
  /** The name of each place in full: "12 Nov 2026", "week of 9 Nov 2026". */
  names: string[];
  /** The place of a day. */
  indexOf(day: string): number;
}

/** @throws RangeError for anything that is not a real date written YYYY-MM-DD. */
export function dayNumber(day: string): number {
  const time = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : NaN;
  if (Number.isNaN(time) || isoDay(time / DAY_MS) !== day) {
    throw new RangeError(`A day must be a date like 2026-11-30, got ${JSON.stringify(day.slice(0, 40))}`);
  }
  return time / DAY_MS;
}

export function isoDay(number: number): string {
  return new Date(number * DAY_MS).toISOString().slice(0, 10);
}

/** The UTC day of a moment. */
export function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

/** "12 Nov 2026" */
export function nameDay(day: string): string {
  const [year, month, date] = day.split("-").map(Number) as [number, number, number];
  return `${date} ${MONTHS[month - 1]} ${year}`;
}

// Weeks start on Monday; 1970-01-01 was a Thursday.
const keyOf: Record<Period, (number: number) => number> = {
  day: (number) => number,
  week: (number) => Math.floor((number + 3) / 7),
  month: (number) => {
    const date = new Date(number * DAY_MS);
    return date.getUTCFullYear() * 12 + date.getUTCMonth();
  },
  year: (number) => new Date(number * DAY_MS).getUTCFullYear(),
};

const firstDay: Record<Period, (key: number) => number> = {
  day: (key) => key,
  week: (key) => key * 7 - 3,
  month: (key) => Date.UTC(Math.floor(key / 12), key % 12, 1) / DAY_MS,
  year: (key) => Date.UTC(key, 0, 1) / DAY_MS,
};

const PERIODS: readonly Period[] = ["day", "week", "month", "year"];

/** @param limit Places that fit the axis; the finest period that needs no more is taken. */
export function layOutDays(days: Iterable<string>, limit: number, finest: Period = "day"): Calendar {
  let from = Infinity;
  let to = -Infinity;
  for (const day of days) {
    const number = dayNumber(day);
    from = Math.min(from, number);
    to = Math.max(to, number);
  }
  const coarser = PERIODS.slice(PERIODS.indexOf(finest));
  const period = coarser.find((one) => keyOf[one](to) - keyOf[one](from) < limit) ?? "year";
  const first = keyOf[period](from);
  const starts = Array.from(
    { length: keyOf[period](to) - first + 1 },
    (_, index) => isoDay(firstDay[period](first + index)),
  );
  return {
    period,
    labels: starts.map((start) => label(start, period)),
    names: starts.map((start) => name(start, period)),
    indexOf: (day) => keyOf[period](dayNumber(day)) - first,
  };
}

function label(start: string, period: Period): SlotLabel {
  const year = start.slice(0, 4);
  if (period === "year") return { text: year, group: "" };
  const words = nameDay(start).split(" ");
  return { text: period === "month" ? `${words[1]}` : `${words[0]} ${words[1]}`, group: year };
}

function name(start: string, period: Period): string {
  if (period === "day") return nameDay(start);
  if (period === "week") return `week of ${nameDay(start)}`;
  return period === "month" ? nameDay(start).split(" ").slice(1).join(" ") : start.slice(0, 4);
}
