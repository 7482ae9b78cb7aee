/** Costs for whoever looks, page or API: three sums over every call of the days, so the dear ones are rationed. */
import type { CostReport } from "../budget/costs.ts";
import type { Desk } from "../desk.ts";
import { DEAR_CALLS, Ration } from "./ration.ts";

export class CostReports {
  readonly #desk: Desk;
  readonly #reports = new Ration<CostReport>(({ total }) =>
    total.reduce((sum, { calls }) => sum + calls, 0) > DEAR_CALLS
  );
  #last: Promise<unknown> = Promise.resolve();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  read(days: number): Promise<CostReport> {
    return this.#reports.read(String(days), () => this.#inTurn(days));
  }

  /** One after the other, however many spans are asked for at once. */
  #inTurn(days: number): Promise<CostReport> {
    const reading = this.#last.then(() => this.#desk.costs(days));
    this.#last = reading.catch(() => {});
    return reading;
  }
}
