/** /recover and /cleanup, and the word on calls whose outcome nobody knows. What spends again asks first. */
import { z } from "zod";
import type { Session } from "../../lib/batches/types.ts";
import { UserError } from "../../lib/errors.ts";
import { formatUsd, type Micros, micros } from "../../lib/money.ts";
import { readRecover } from "../arguments.ts";
import { ask, type ConfirmedAction } from "../ask.ts";
import { readNumber } from "../button_data.ts";
import type { DeskContext } from "../context.ts";
import { Feature } from "../feature.ts";
import type { Kit } from "../kit.ts";
import { blocks, count, lines, plain, strong } from "../replies/format.ts";
import { describeCleanup, describeRemedy, summariseRecovery } from "../replies/recovery.ts";
import { findRemedy } from "../replies/session_result.ts";
import { reply } from "../speak.ts";

/** How far back "/recover all" looks, days. */
const RECENT_DAYS = 7;

export function recoveryFeature(kit: Kit): Feature {
  return new Feature(kit)
    .command(
      "recover",
      "try again what failed or was left out; asks first",
      "operator",
      async (ctx, text) => {
        const { session, budget } = readRecover(text);
        if (session === "all") await askForAll(kit, ctx);
        else await askForOne(kit, ctx, session, budget);
      },
    )
    .button("recover", "operator", async (ctx, [number]) => {
      const wanted = readNumber(number);
      if (wanted !== null) await askForOne(kit, ctx, wanted, null);
    })
    .command("cleanup", "take back what dead workers left, put sums right", "operator", async (ctx) => {
      await reply(ctx, { text: describeCleanup(await kit.desk.cleanup(ctx.person.actor)) });
    });
}

async function askForOne(
  kit: Kit,
  ctx: DeskContext,
  number: number | null,
  budget: Micros | null,
): Promise<void> {
  const wanted = number ?? await newestUnfinished(kit);
  const detail = await kit.desk.session(wanted);
  const { session } = detail;
  const remedy = findRemedy(detail);
  if (!remedy) throw new UserError(whyNot(session));
  const cap = budget ?? remedy.budget;
  await ask(kit, ctx, {
    kind: "recover",
    request: { number: wanted, budget: cap },
    text: describeRemedy(session, remedy, cap),
    yes: cap === null ? "Recover" : `Recover, at most ${formatUsd(cap)}`,
    no: "Leave it",
  });
}

async function newestUnfinished({ desk }: Kit): Promise<number> {
  const sessions = await desk.sessions(50);
  const found = sessions.find(({ status }) => status === "PARTIAL" || status === "FAILED");
  if (!found) throw new UserError("There is nothing to recover: no session ended with something missing.");
  return found.number;
}

function whyNot({ number, status, failed, skipped }: Session): string {
  switch (status) {
    case "COMPLETED":
      return `Session ${number} is complete: there is nothing to recover.`;
    case "PAUSED":
      return `Session ${number} is paused: resume it instead.`;
    case "INITIATED":
    case "PROCESSING":
      return `Session ${number} is at work and tries again by itself.`;
    case "CANCELLED":
      return `Session ${number} was cancelled: a new batch takes up what it left.`;
    default:
      return `Session ${number} lacks ${
        count(failed + skipped, "article")
      }, but trying again cannot change that.`;
  }
}

async function askForAll(kit: Kit, ctx: DeskContext): Promise<void> {
  const since = kit.now().getTime() - RECENT_DAYS * 86_400_000;
  const sessions = (await kit.desk.sessions(50)).filter(({ status, finished_at }) =>
    (status === "PARTIAL" || status === "FAILED") && (finished_at?.getTime() ?? 0) > since
  );
  if (sessions.length === 0) {
    throw new UserError(
      `There is nothing to recover: no session of the last ${RECENT_DAYS} days lacks an article.`,
    );
  }
  await ask(kit, ctx, {
    kind: "recover",
    request: { all: true },
    text: blocks(
      strong(`Recover ${count(sessions.length, "session")} of the last ${RECENT_DAYS} days?`),
      lines(...sessions.map(({ number, failed, skipped, budget, spent }) =>
        plain(
          `· #${number}: ${failed} failed, ${skipped} left out, ${
            formatUsd(micros(Math.max(0, budget - spent)))
          } left`,
        )
      )),
      plain("They work one after another, each within the budget it has."),
    ),
    yes: "Recover all",
    no: "Leave them",
  });
}

const recoverSchema = z.union([
  z.object({ all: z.literal(true) }),
  z.object({ number: z.number().int(), budget: z.number().int().positive().transform(micros).nullable() }),
]);

/**
 * Only what had its end when it was asked. The confirmation's token names the wish: the same yes, carried out twice,
 * recovers once and is answered alike.
 */
export const recoverConfirmed: ConfirmedAction = async (kit, { request, created_at, token }, actor) => {
  const wish = recoverSchema.parse(request);
  const reports = "all" in wish
    ? await kit.desk.recoverRecent(actor, RECENT_DAYS, created_at, token)
    : [await kit.desk.recover(wish.number, wish.budget, actor, created_at, token)];
  const begun = reports.filter(({ requeuedFailed, requeuedSkipped }) => requeuedFailed + requeuedSkipped > 0);
  for (const { session } of begun) await kit.wake(session);
  const outcome = reports.map(summariseRecovery).join("\n") || "There was nothing to recover any more.";
  const [only] = begun;
  return { outcome, watch: begun.length === 1 ? only.session : undefined };
};
