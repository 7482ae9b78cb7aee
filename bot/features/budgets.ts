/** /budget: the caps, changed after a question. */
import { z } from "zod";
import type { DayCapChange } from "../../lib/budget/changed_settings.ts";
import { UserError } from "../../lib/errors.ts";
import { formatUsd, type Micros, micros } from "../../lib/money.ts";
import { isLive, type Session } from "../../lib/batches/types.ts";
import { readBudgetWish } from "../arguments.ts";
import { ask, type ConfirmedAction } from "../ask.ts";
import { readNumber } from "../button_data.ts";
import type { DeskContext } from "../context.ts";
import { mayAct } from "../access.ts";
import { Feature } from "../feature.ts";
import type { Kit } from "../kit.ts";
import {
  budgetButtons,
  describeBudgets,
  describeDayBudget,
  describeSessionBudget,
  raise,
  RAISES,
} from "../replies/budgets.ts";
import { reply } from "../speak.ts";

export function budgetsFeature(kit: Kit): Feature {
  return new Feature(kit)
    .command(
      "budget",
      "the caps of session, day and month; changes them after a question",
      "viewer",
      async (ctx, text) => {
        const wish = readBudgetWish(text);
        if (wish === null) return await showBudgets(kit, ctx);
        if (!mayAct(ctx.person.role, "operator")) {
          throw new UserError(
            "Changing a budget is for operators; you may look.",
          );
        }
        if (wish.of === "session") {
          await askForSession(kit, ctx, await findSession(kit, wish.number), wish.to);
        } else await askForDay(kit, ctx, wish.to);
      },
    )
    .button("budget", "operator", async (ctx, [of, how, number]) => {
      const share = RAISES.find((known) => known === readNumber(how));
      // Of the session that the message is about, which may not be the current one any more.
      const named = readNumber(number);
      if (of === "session" && share && named !== null) {
        const session = await findSession(kit, named);
        return await askForSession(kit, ctx, session, raise(session.budget, share));
      }
      if (of !== "day") return;
      const budgets = await kit.desk.budgets();
      if (how === "off") await askForDay(kit, ctx, null);
      else if (how === "reset") await askForDay(kit, ctx, "configured");
      else if (share && budgets.dayCap !== null) await askForDay(kit, ctx, raise(budgets.dayCap, share));
    });
}

async function showBudgets(kit: Kit, ctx: DeskContext): Promise<void> {
  const budgets = await kit.desk.budgets();
  await reply(ctx, {
    text: describeBudgets(budgets, { now: kit.now(), zone: kit.zone }),
    keyboard: ctx.person.role === "operator" ? budgetButtons(budgets) : undefined,
  });
}

/** @param number Null: the current one. */
async function findSession({ desk }: Kit, number: number | null): Promise<Session> {
  if (number !== null) return (await desk.progress(number)).session;
  const { session } = await desk.budgets();
  if (session) return session;
  throw new UserError("There is no session yet. /start_batch starts one with a budget of its own.");
}

async function askForSession(kit: Kit, ctx: DeskContext, session: Session, to: Micros): Promise<void> {
  if (session.budget === to) {
    throw new UserError(`The budget of session ${session.number} is ${formatUsd(to)} already.`);
  }
  if (!isLive(session.status)) {
    throw new UserError(
      `Session ${session.number} has ended: /recover ${session.number} ${
        formatUsd(to)
      } gives it money and goes on.`,
    );
  }
  await ask(kit, ctx, {
    kind: "session_budget",
    request: { number: session.number, to },
    text: describeSessionBudget(session, to),
    yes: `Set ${formatUsd(to)}`,
    no: "Leave it",
  });
}

async function askForDay(kit: Kit, ctx: DeskContext, to: DayCapChange): Promise<void> {
  const then = nameCap(to, kit.config.dayBudget);
  await ask(kit, ctx, {
    kind: "day_budget",
    request: { to },
    text: describeDayBudget(await kit.desk.budgets(), then),
    yes: `Set ${then}`,
    no: "Leave it",
  });
}

function nameCap(to: DayCapChange, configured: Micros | null): string {
  const cap = to === "configured" ? configured : to;
  const name = cap === null ? "no cap" : formatUsd(cap);
  return to === "configured" ? `${name}, as configured` : name;
}

export const sessionBudgetConfirmed: ConfirmedAction = async ({ desk, progress }, { request }, actor) => {
  const { number, to } = z.object({
    number: z.number().int(),
    to: z.number().int().positive().transform(micros),
  })
    .parse(request);
  const session = await desk.changeBudget(number, to, actor);
  await progress.hurry(session);
  return { outcome: `Session ${number} has a budget of ${formatUsd(session.budget)} now.` };
};

export const dayBudgetConfirmed: ConfirmedAction = async ({ desk }, { request }, actor) => {
  const { to } = z.object({
    to: z.union([z.number().int().positive().transform(micros), z.literal("configured"), z.null()]),
  }).parse(request);
  const day = await desk.changeDayBudget(to, actor);
  return {
    outcome: `Today has ${day.budget === null ? "no cap" : `a cap of ${formatUsd(day.budget)}`} now.`,
  };
};
