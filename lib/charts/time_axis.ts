/** An axis of moments in UTC, from seconds to years, with only as many ticks as fit. */
import { dayOf, nameDay } from "./days.ts";
import { labelledAxisX } from "./axis_x.ts";
import { FONT_SIZE } from "./layout.ts";
import { measureText } from "./text.ts";
import type { Frame, Marks, PlotOptions } from "./types.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Distances between ticks that people count in, in milliseconds. */
export const TIME_STEPS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 30, 91, 182, 365, 1825, 3650, 36500].map((count) => count * DAY),
];

export interface TimeAxis {
  scale: PlotOptions["x"];
  marks: Marks;
  /** Milliseconds since 1970. */
  domain: [number, number];
}

/** A moment alone gets a minute around it, so that there is an axis to stand on. */
export function timeDomain(moments: readonly Date[]): [number, number] {
  let from = Infinity;
  let to = -Infinity;
  for (const moment of moments) {
    from = Math.min(from, moment.getTime());
    to = Math.max(to, moment.getTime());
  }
  return to > from ? [from, to] : [from - MINUTE / 2, to + MINUTE / 2];
}

export function timeAxis(frame: Frame, domain: [number, number]): TimeAxis {
  const [from, to] = domain;
  const room = (step: number) =>
    frame.innerWidth / (measureText(step < MINUTE ? "00:00:00" : "00 Mmm", FONT_SIZE) + 22);
  const step = TIME_STEPS.find((one) => (to - from) / one <= room(one)) ?? to - from;
  const ticks: number[] = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick);
  return {
    domain,
    scale: { type: "linear", domain, axis: null },
    marks: [labelledAxisX(frame, ticks, (tick, index) => label(tick, ticks[index - 1], step))],
  };
}

/** The clock, and below it the day where it changes; for long axes the day and below it the year. */
function label(tick: number, before: number | undefined, step: number): string {
  const [date, month, year] = nameDay(dayOf(new Date(tick))).split(" ");
  const time = new Date(tick).toISOString();
  const [text, group] = step >= DAY
    ? [`${date} ${month}`, `${year}`]
    : [time.slice(11, step >= MINUTE ? 16 : 19), `${date} ${month}`];
  const groupOf = (moment: number) => new Date(moment).toISOString().slice(0, step >= DAY ? 4 : 10);
  return before !== undefined && groupOf(before) === groupOf(tick) ? text : `${text}\n${group}`;
}
