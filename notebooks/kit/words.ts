/** Figures for people. */
import { exactUsd, formatUsd, type Micros, micros } from "../../lib/money.ts";

/** Dollars of a whole number of micro-dollars: cents from a dollar up, four decimals below, six where four say nothing. */
export function usd(amount: number): string {
  return formatUsd(micros(amount));
}

/** Dollars of a mean or a quotient of money, rounded to the micro-dollar. Null: there is none. */
export function meanUsd(sum: number, count: number): string | null {
  return count === 0 ? null : formatUsd(Math.round(sum / count) as Micros);
}

/** The same with all six decimals, for amounts of which four would show one figure or none. */
export function fineUsd(sum: number, count: number): string | null {
  return count === 0 ? null : `$${exactUsd(Math.round(sum / count) as Micros)}`;
}

/** "1,234 articles", "1 article"; without a noun the number alone. */
export function count(number: number, noun?: string, nouns = `${noun}s`): string {
  const text = number.toLocaleString("en-US");
  return noun === undefined ? text : `${text} ${number === 1 ? noun : nouns}`;
}

/** "12 %"; null where there is no whole. */
export function percent(part: number, whole: number): string | null {
  if (whole === 0) return null;
  const value = part * 100 / whole;
  if (value !== 0 && Math.abs(value) < 0.5) return "<1 %";
  return `${Math.round(value)} %`;
}

/** How much of a budget is used: cut, never rounded up, as everywhere in the desk. */
export function used(spent: number, budget: number): string | null {
  return budget === 0 ? null : `${Math.floor(spent * 100 / budget)} %`;
}

/** "+12 %" against what was expected; null where nothing was. */
export function change(now: number, before: number): string | null {
  if (before === 0) return null;
  const value = Math.round((now - before) * 100 / before);
  return `${value < 0 ? "−" : "+"}${Math.abs(value)} %`;
}

/** "4.2 s", "3 min 20 s", "5 h 12 min". */
export function seconds(ms: number): string {
  // Rounded it would be a minute.
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const whole = Math.round(ms / 1000);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "2026-11-20", UTC. */
export function day(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** "2026-11-20 02:30", UTC. */
export function time(at: Date): string {
  return at.toISOString().slice(0, 16).replace("T", " ");
}

/** "02:31:07", UTC. */
export function clock(at: Date): string {
  return at.toISOString().slice(11, 19);
}

/** The middle value; null of none. */
export function median(values: readonly number[]): number | null {
  return quantile(values, 0.5);
}

/** The value that `share` of all do not exceed; null of none. */
export function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  return low + (high - low) * (place - Math.floor(place));
}

export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
