/** The caps and what of them is used, in words for the terminal. */
import type { Budgets } from "../budget/budgets.ts";
import { formatUsd, type Micros } from "../money.ts";
import { instant } from "./describe_repairs.ts";
import { money, percent, safe } from "./output.ts";

export function describeBudgets(budgets: Budgets): string {
  const { session, day, dayCap, dayCapChanged, month, sessionDefault, simulated } = budgets;
  const lines = session
    ? [
      `Session  ${session.number} ${session.status}: ${
        describeCap(session.spent, session.held, session.budget, session.simulated)
      }`,
    ]
    : [];
  const cap = day ? day.budget : dayCap;
  const today = day ? `${day.day} (UTC): ` : "";
  lines.push(
    cap === null
      ? `Day      ${today}${money(day?.spent ?? (0 as Micros), simulated)} spent; there is no cap`
      : `Day      ${today}${
        describeCap(day?.spent ?? (0 as Micros), day?.held ?? (0 as Micros), cap, simulated)
      }`,
  );
  if (cap !== dayCap) {
    lines.push(
      `         from tomorrow ${
        dayCap === null ? "no cap" : `a cap of ${formatUsd(dayCap)}`
      }: today has used more`,
    );
  }
  if (dayCapChanged) {
    const configured = dayCapChanged.configured === null ? "none" : formatUsd(dayCapChanged.configured);
    lines.push(
      `         changed by ${safe(dayCapChanged.by)} at ${
        instant(dayCapChanged.at)
      }; DAY_BUDGET_USD says ${configured}`,
    );
  }
  lines.push(
    `Month    ${money(month.real, false)}${
      month.simulated > 0 ? `, and ${money(month.simulated, true)}` : ""
    }`,
    `Default  ${formatUsd(sessionDefault)} for a session that is started without a budget`,
  );
  return lines.join("\n");
}

function describeCap(spent: Micros, held: Micros, budget: Micros, simulated: boolean): string {
  const left = (budget - spent - held) as Micros;
  return `${money(spent, simulated)} of ${formatUsd(budget)} spent (${percent(spent, budget)}), ` +
    `${held > 0 ? `${formatUsd(held)} held, ` : ""}${formatUsd(left)} left`;
}
