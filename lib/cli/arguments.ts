/** Parses what people type after a command; a wrong word gets one line with what is wanted. */
import { InvalidArgumentError } from "commander";
import { type Micros, parseUsd } from "../money.ts";

export function parseCount(text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1) throw new InvalidArgumentError("wanted a whole number from 1 up.");
  return value;
}

export function parseBudget(text: string): Micros {
  const value = parseUsd(text);
  if (value === null || value <= 0) throw new InvalidArgumentError("wanted US dollars over 0, such as 0.30.");
  return value;
}

/** What a provider charged; it may be nothing. */
export function parseBill(text: string): Micros {
  const value = parseUsd(text);
  if (value === null) throw new InvalidArgumentError("wanted US dollars from 0 up, such as 0.0008.");
  return value;
}

/** The cap of a day: dollars, none at all, or "default": as DAY_BUDGET_USD says. */
export function parseDayCap(text: string): Micros | "none" | "default" {
  if (text === "none" || text === "default") return text;
  const value = parseUsd(text);
  if (value === null || value <= 0) {
    throw new InvalidArgumentError("wanted US dollars over 0 such as 2.00, or none, or default.");
  }
  return value;
}

export function parseResearch(text: string): "off" | "top" | "all" {
  if (text === "off" || text === "top" || text === "all") return text;
  throw new InvalidArgumentError("wanted off, top or all.");
}
