/** /estimate and /start_batch: what a batch would cost, and the only way to start one here. */
import { z } from "zod";
import type { SessionRequest } from "../../lib/desk.ts";
import { formatUsd, micros } from "../../lib/money.ts";
import { FORMS, readSessionRequest } from "../arguments.ts";
import { ask, type ConfirmedAction } from "../ask.ts";
import { Feature } from "../feature.ts";
import type { Kit } from "../kit.ts";
import { canStart, describePreview, guessDuration, type Preview } from "../replies/estimate.ts";
import { count } from "../replies/format.ts";
import { reply } from "../speak.ts";
import { isLive } from "../../lib/batches/types.ts";

export function startBatchFeature(kit: Kit): Feature {
  return new Feature(kit)
    .command(
      "start_batch",
      "read the next articles; asks before it spends",
      "operator",
      async (ctx, text) => {
        const request = readSessionRequest(text, FORMS.start_batch);
        const preview = await preparePreview(kit, request);
        const { estimate } = preview;
        const title = `Read ${count(estimate.articles, "article")}?`;
        const shown = describePreview(preview, title);
        if (!canStart(preview)) return void await reply(ctx, { text: shown });
        await ask(kit, ctx, {
          kind: "start",
          request: {
            limit: estimate.articles,
            budget: estimate.budget,
            model: estimate.model,
            research: preview.research,
          },
          text: shown,
          yes: `Start, at most ${formatUsd(estimate.budget)}`,
          no: "Cancel",
        });
      },
    )
    .command("estimate", "what a batch would cost; spends nothing", "viewer", async (ctx, text) => {
      const preview = await preparePreview(kit, readSessionRequest(text, FORMS.estimate));
      const title = `Estimate for ${count(preview.estimate.articles, "article")}`;
      await reply(ctx, { text: describePreview(preview, title) });
    });
}

async function preparePreview({ desk, config }: Kit, request: SessionRequest): Promise<Preview> {
  const [estimate, report, budgets, sessions] = await Promise.all([
    desk.estimate(request),
    desk.articles(1),
    desk.budgets(),
    desk.sessions(30),
  ]);
  return {
    estimate,
    report,
    budgets,
    research: request.research ?? config.research,
    timeMs: guessDuration(estimate, config, sessions),
    active: sessions.find(({ status }) => isLive(status) && status !== "PAUSED") ?? null,
  };
}

const startSchema = z.object({
  limit: z.number().int().positive(),
  budget: z.number().int().positive().transform(micros),
  model: z.string(),
  research: z.enum(["off", "top", "all"]),
});

/** The confirmation's token names the wish, so that one confirmation starts one session whatever happens. */
export const startConfirmed: ConfirmedAction = async (kit, { request, token }, actor) => {
  const session = await kit.desk.start(startSchema.parse(request), actor, { key: token });
  await kit.wake(session);
  return { outcome: `Session ${session.number} has started.`, watch: session };
};
