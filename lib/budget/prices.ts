/**
 * What tokens cost, from the dated price data of `@pydantic/genai-prices` (as of its version in deno.json).
 * The package stays behind this file: prices are data that moves.
 */
import { calcPrice } from "@pydantic/genai-prices";
import { UserError } from "../errors.ts";
import { type Micros, micros, MICROS_PER_USD, microsFromPrice } from "../money.ts";

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
    cost({ inputTokens, outputTokens, cachedTokens = 0 }) {
      const usage = {
        input_tokens: inputTokens,
        output_tokens: outputTokens,
        cache_read_tokens: Math.min(cachedTokens, inputTokens),
      };
      const bill = calcPrice(usage, model, options);
      if (!bill) throw new Error(`the price of ${model} went away`);
      return microsFromPrice(bill.total_price);
    },
  };
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
    cost({ inputTokens, outputTokens }) {
      const millionths = BigInt(inputTokens) * BigInt(input) + BigInt(outputTokens) * BigInt(output);
      return micros(Number((millionths + 999_999n) / 1_000_000n));
    },
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
