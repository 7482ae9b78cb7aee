/** Small parts of alert texts. */
import { formatUsd, type Micros } from "../money.ts";

/** An amount with the word that must stand beside money nobody was paid. */
export function money(amount: Micros, simulated: boolean): string {
  return simulated ? `${formatUsd(amount)} simulated` : formatUsd(amount);
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
}

/** A share in whole percent, cut. */
export function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.floor(part * 100 / whole);
}

/** "25 min", "2 h 10 min": as exact as a person needs. */
export function longTime(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

/** "2026-11-24 07:00 UTC". */
export function utcTime(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
