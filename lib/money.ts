/**
 * Money is whole micro-dollars (1 USD = 1,000,000) from the provider's usage to the screen.
 * A `number` holds them exactly up to 9,007 million dollars; fractions never enter a sum.
 */
export type Micros = number & { readonly __micros: unique symbol };

/** Micro-dollars in one US dollar. */
export const MICROS_PER_USD = 1_000_000;

export const ZERO = 0 as Micros;

/** Accepts a whole number of micro-dollars. Throws `RangeError` for fractions and unsafe sizes. */
export function micros(value: number): Micros {
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`Money must be a whole number of micro-dollars, got ${value}`);
  }
  return value as Micros;
}

/**
 * Rounds a dollar figure that was computed from a price list up to the next micro-dollar, so that a bill
 * is never understated. The tiny subtraction undoes binary noise such as 0.0003 * 1e6 = 300.00000000000006.
 */
export function microsFromPrice(usd: number): Micros {
  if (!Number.isFinite(usd) || usd < 0) {
    throw new RangeError(`A price must be a number from 0 up, got ${usd}`);
  }
  // Adding 0 turns the -0 of a price of nothing into 0.
  return micros(Math.ceil(usd * MICROS_PER_USD - 1e-6) + 0);
}

const USD_TEXT = /^\$?(\d{1,9})(?:\.(\d{1,6}))?$/;

/**
 * Parses what a person writes for an amount ("0.30", "$5", "0.0013") exactly, digit by digit.
 * Returns null for anything else: signs, exponents, more than 6 decimals.
 */
export function parseUsd(text: string): Micros | null {
  const match = USD_TEXT.exec(text.trim());
  if (!match) return null;
  return micros(Number(match[1]) * MICROS_PER_USD + Number((match[2] ?? "").padEnd(6, "0")));
}

/** Multiplies by `numerator/denominator` and rounds up: for shares and calibration factors. */
export function scaleUp(amount: Micros, numerator: number, denominator: number): Micros {
  return micros(
    Number((BigInt(amount) * BigInt(numerator) + BigInt(denominator) - 1n) / BigInt(denominator)),
  );
}

/**
 * Dollars for a person: cents from a dollar up, four decimals below, six where four would say nothing.
 * Unlike `toFixed` it works on the integer, so what is printed is what is stored, cut, never rounded up.
 */
export function formatUsd(amount: Micros): string {
  const sign = amount < 0 ? "-" : "";
  const value = Math.abs(amount);
  const decimals = value >= MICROS_PER_USD ? 2 : value >= 100 || value === 0 ? 4 : 6;
  const whole = Math.floor(value / MICROS_PER_USD);
  const fraction = String(value % MICROS_PER_USD).padStart(6, "0").slice(0, decimals);
  return `${sign}$${whole.toLocaleString("en-US")}.${fraction}`;
}

/** The exact decimal text of an amount, six decimals, for JSON and exports. */
export function exactUsd(amount: Micros): string {
  const value = Math.abs(amount);
  const whole = Math.floor(value / MICROS_PER_USD);
  return `${amount < 0 ? "-" : ""}${whole}.${String(value % MICROS_PER_USD).padStart(6, "0")}`;
}
