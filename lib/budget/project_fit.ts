/** Whether what is left of a session fits its budget, at what its articles cost so far. Pure. */
import { type Micros, micros } from "../money.ts";

export interface Spending {
  budget: Micros;
  spent: Micros;
  overrun: Micros;
  analyzed: number;
  /** Articles without a final state. */
  left: number;
  /** The most one more article can cost: its hold. */
  worst: Micros;
}

export interface Fit {
  /** What the session will have cost in the end if everything is read. */
  projected: Micros;
  /** Articles that will be left out: the first one whose worst case does not fit ends the session. */
  leftOut: number;
  /** A budget that would do for all of them, in whole cents. */
  enough: Micros;
}

const CENT = 10_000;

/** Null before the first analysed article: nobody knows the mean. */
export function projectFit({ budget, spent, overrun, analyzed, left, worst }: Spending): Fit | null {
  if (analyzed === 0) return null;
  const mean = (spent + overrun) / analyzed;
  const room = budget - spent - worst;
  const fitting = room < 0 ? 0 : mean === 0 ? left : Math.floor(room / mean) + 1;
  return {
    projected: micros(Math.round(mean * (analyzed + left))),
    leftOut: Math.max(0, left - fitting),
    enough: micros(Math.ceil((spent + mean * left + worst) / CENT) * CENT),
  };
}

/** The mean worst case of an article of the session, as it was planned. */
export function worstOf({ worst_cost, total }: { worst_cost: Micros; total: number }): Micros {
  return micros(Math.ceil(worst_cost / Math.max(1, total)));
}
