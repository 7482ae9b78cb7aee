/** Pictures for the chat, as PNG. */
import type { CostReport } from "../lib/budget/costs.ts";
import type { Micros } from "../lib/money.ts";

export interface Pictures {
  /**
   * Spend by day, of one kind of money. Null: there is nothing to draw. May throw: the text goes out without it then.
   * @param dayCap The most that a day may cost; null: none.
   */
  spend(report: CostReport, simulated: boolean, dayCap: Micros | null): Promise<Uint8Array | null>;
}
