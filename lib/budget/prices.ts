/**
 * What tokens cost, from the dated price data of `@pydantic/genai-prices` (as of its version in deno.json).
 * The package stays behind this file: prices are data that moves.
 */
import { calcPrice, findProvider } from "@pydantic/genai-prices";
import { UserError } from "../errors.ts";
import { type Micros, micros, MICROS_PER_USD, microsFromPrice, parseUsd } from "../money.ts";

/**
 * The price list: the version of the package that deno.json pins, and the day it was published (npm registry, `time`).
 * The list has no date of its own. What changed since that day is not in it.
 */
export const PRICE_LIST = { version: "0.1.8", published: "2026-09-23" } as const;

/** Tokens that are billed. `inputTokens` includes the cached ones, `outputTokens` the thoughts. */
export interface BilledTokens {
  inputTokens: number;
  outputTokens: number;
  cachedTokens?: number;
}

export interface ModelPrice {
  /** The model whose price it is, as the price list names it. */
  model: string;
  /** Dollars per million tokens, for a person. */
  perMillion: { input: number; output: number };
  source: "price list" | "set by hand";
  /** What these tokens cost, rounded up to the micro-dollar. */
  cost(tokens: BilledTokens): Micros;
}

/** Micro-dollars per million tokens, given by an operator for a model that no list knows. */
export interface HandPrice {
  input: Micros;
  output: Micros;
}

/**
 * The price of a model at a date, or null when nobody knows it.
 * @param byHand Wins over the list, so that an operator can correct it.
 */
export function findPrice(model: string, at: Date, byHand: HandPrice | null = null): ModelPrice | null {
  if (byHand) return priceByHand(model, byHand);
  const options = { providerId: "google", timestamp: at };
  const probe = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, options);
  if (!probe) return null;
  return {
    model: probe.model.id,
    perMillion: {
      input: flatPrice(probe.model_price.input_mtok),
      output: flatPrice(probe.model_price.output_mtok),
    },
    source: "price list",
    cost: costByRates(probe.model_price) ?? costByList(model, options),
  };
}

type Cost = ModelPrice["cost"];

/** Asks the list each time: a price in tiers depends on how many tokens there are. */
function costByList(model: string, options: { providerId: string; timestamp: Date }): Cost {
  return ({ inputTokens, outputTokens, cachedTokens = 0 }) => {
    const usage = {
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      cache_read_tokens: Math.min(cachedTokens, inputTokens),
    };
    const bill = calcPrice(usage, model, options);
    if (!bill) throw new Error(`the price of ${model} went away`);
    return microsFromPrice(bill.total_price);
  };
}

/**
 * The same for a model whose prices are plain numbers, multiplied here: a session of 100,000 articles asks as often
 * when it starts, and asking the list took 2 s of that. Null: in tiers, or finer than micro-dollars a million tokens.
 */
function costByRates(price: Record<string, unknown>): Cost | null {
  const rates = [price.input_mtok, price.cache_read_mtok, price.output_mtok].map((usd) =>
    typeof usd === "number" ? parseUsd(usd.toFixed(9).replace(/0{3}$/, "")) : null
  );
  const [input, cached, output] = rates;
  return input === null || cached === null || output === null ? null : multiply({ input, cached, output });
}

/** @param rates Micro-dollars per million tokens. */
function multiply(rates: { input: Micros; cached: Micros; output: Micros }): Cost {
  const [input, cached, output] = [rates.input, rates.cached, rates.output].map(BigInt);
  return ({ inputTokens, outputTokens, cachedTokens = 0 }) => {
    const fromCache = Math.min(cachedTokens, inputTokens);
    const millionths = BigInt(inputTokens - fromCache) * input + BigInt(fromCache) * cached +
      BigInt(outputTokens) * output;
    return micros(Number((millionths + 999_999n) / 1_000_000n));
  };
}

/** Gemini models that answer something else than text, or in another way. */
const OTHER_THAN_TEXT = /embedding|image|tts|live|omni|audio|vision/;

/** Every Gemini model for text with a price at a date, in the order of their names. Not all can still be called. */
export function listTextModels(at: Date): ModelPrice[] {
  const models = findProvider({ providerId: "google" })?.models ?? [];
  return models.map(({ id }) => id)
    .filter((id) => id.startsWith("gemini-") && !OTHER_THAN_TEXT.test(id))
    .map((id) => findPrice(id, at))
    .filter((price) => price !== null)
    .filter(({ perMillion }) => perMillion.input > 0 && perMillion.output > 0)
    .sort((a, b) => a.model < b.model ? -1 : 1);
}

/** Like `findPrice`, but an unknown model is refused with what to do about it. Throws `UserError`. */
export function requirePrice(model: string, at: Date, byHand: HandPrice | null): ModelPrice {
  const price = findPrice(model, at, byHand);
  if (price) return price;
  throw new UserError(
    `Cannot price the model ${model}: no price list knows it, and without a price there is no budget. ` +
      `Choose a known GEMINI_MODEL, or set GEMINI_PRICE_USD=input/output in dollars per million tokens`,
  );
}

function priceByHand(model: string, { input, output }: HandPrice): ModelPrice {
  return {
    model,
    perMillion: { input: input / MICROS_PER_USD, output: output / MICROS_PER_USD },
    source: "set by hand",
    cost: multiply({ input, cached: input, output }),
  };
}

function flatPrice(price: unknown): number {
  if (typeof price === "number") return price;
  // Tiered by prompt size: the base tier is what a person compares; `cost` uses the right one.
  if (typeof price === "object" && price !== null && "base" in price && typeof price.base === "number") {
    return price.base;
  }
  return 0;
}
