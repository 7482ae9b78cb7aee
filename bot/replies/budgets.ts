/** The caps and what of them is used. */
import type { FormattedString } from "@grammyjs/parse-mode";
import { InlineKeyboard } from "grammy";
import { isLive, type Session } from "../../lib/batches/types.ts";
import type { Budgets } from "../../lib/budget/budgets.ts";
import { formatUsd, type Micros, micros, scaleUp } from "../../lib/money.ts";
import { buttonData } from "../button_data.ts";
import type { Clock } from "./estimate.ts";
import { bar, blocks, clock, facts, lines, percent, plain, strong } from "./format.ts";
import { nameActor } from "./people.ts";

export function describeBudgets(budgets: Budgets, { now, zone }: Clock): FormattedString {
  const { session, day, dayCap, dayCapChanged, month, sessionDefault, simulated } = budgets;
  const cap = day ? day.budget : dayCap;
  const spent = day?.spent ?? micros(0);
  return blocks(
    strong("Budgets"),
    facts([
      ["Session", session === null ? "none yet" : `#${session.number}, ${session.status.toLowerCase()}`],
      ["", session && describeCap(session.spent, session.held, session.budget)],
      ["Day", cap === null ? `${formatUsd(spent)}, no cap` : describeCap(spent, day?.held ?? micros(0), cap)],
      ["Month", formatUsd(month.real)],
      ["", month.simulated > 0 ? `${formatUsd(month.simulated)} simulated` : null],
      ["Usual", `${formatUsd(sessionDefault)} a session`],
    ]),
    lines(
      simulated || session?.simulated ? plain("What session and day show is simulated.") : null,
      cap === dayCap ? null : plain(
        `From tomorrow ${dayCap === null ? "no cap" : formatUsd(dayCap)}: today has used more already.`,
      ),
      dayCapChanged
        ? plain(
          `The day's cap was changed by ${nameActor(dayCapChanged.by)}, ${
            clock(dayCapChanged.at, zone, now)
          }; ` +
            `the settings say ${
              dayCapChanged.configured === null ? "none" : formatUsd(dayCapChanged.configured)
            }.`,
        )
        : null,
    ),
  );
}

function describeCap(spent: Micros, held: Micros, cap: Micros): string {
  const out = held > 0 ? `\n${formatUsd(held)} held` : "";
  return `${formatUsd(spent)} of ${formatUsd(cap)}\n${bar(spent, cap, 12)} ${percent(spent, cap)}${out}`;
}

/** By how much a button raises a cap, percent of what it is. */
export const RAISES = [125, 150, 200] as const;

export function raiseLabel(share: number): string {
  return share % 100 === 0 ? `×${share / 100}` : `+${share - 100} %`;
}

const CENT = 10_000;

/** Up to the next cent. */
export function raise(cap: Micros, share: number): Micros {
  return micros(Math.ceil(scaleUp(cap, share, 100) / CENT) * CENT);
}

/** A session that has ended for lack of money is helped by a recovery, not by a larger cap alone. */
export function budgetButtons({ session, dayCap, dayCapChanged }: Budgets): InlineKeyboard {
  const keyboard = new InlineKeyboard();
  if (session && isLive(session.status)) {
    for (const share of RAISES) {
      keyboard.text(`Session ${raiseLabel(share)}`, buttonData("budget", "session", share, session.number));
    }
    keyboard.row();
  }
  if (dayCap !== null) {
    for (const share of RAISES) keyboard.text(`Day ${raiseLabel(share)}`, buttonData("budget", "day", share));
    keyboard.row().text("Day: no cap", buttonData("budget", "day", "off"));
  }
  if (dayCapChanged) keyboard.text("Day: as configured", buttonData("budget", "day", "reset"));
  if (session && session.unknown > 0) {
    keyboard.row().text("Unknown calls", buttonData("unknown", session.number));
  }
  return keyboard;
}

export function describeSessionBudget(session: Session, to: Micros): FormattedString {
  const verb = to > session.budget ? "Raise" : "Lower";
  return blocks(
    strong(`${verb} the budget of session ${session.number}?`),
    facts([
      ["Budget", `${formatUsd(session.budget)} → ${formatUsd(to)}`],
      ["Spent", formatUsd(session.spent)],
      ["Held", session.held > 0 ? formatUsd(session.held) : null],
      ["Money", session.simulated ? "simulated" : null],
    ]),
  );
}

export function describeDayBudget({ day, dayCap }: Budgets, to: string): FormattedString {
  return blocks(
    strong("Change the budget of a day?"),
    facts([
      ["Now", dayCap === null ? "no cap" : formatUsd(dayCap)],
      ["Then", to],
      ["Today", `${formatUsd(day?.spent ?? micros(0))} spent`],
    ]),
    plain("It holds for today and every later day, until it is changed again."),
  );
}
