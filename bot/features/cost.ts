/** /cost: what was spent, with a picture. */
import { InputFile } from "grammy";
import type { CostReport } from "../../lib/budget/costs.ts";
import { messageOf } from "../../lib/errors.ts";
import { readDays } from "../arguments.ts";
import { readNumber } from "../button_data.ts";
import type { DeskContext } from "../context.ts";
import { Feature } from "../feature.ts";
import type { Kit } from "../kit.ts";
import { costButtons, costCaption, describeCosts } from "../replies/cost.ts";
import { plain } from "../replies/format.ts";
import { placeOf, reply } from "../speak.ts";
import { MAX_CAPTION } from "../split_message.ts";

const USUAL_DAYS = 7;

export function costFeature(kit: Kit): Feature {
  return new Feature(kit)
    .command("cost", "what was spent, by day and use, with a chart", "viewer", async (ctx, text) => {
      await showCosts(kit, ctx, readDays(text, USUAL_DAYS));
    })
    .button("cost", "viewer", async (ctx, [days]) => {
      await showCosts(kit, ctx, Math.min(365, Math.max(1, readNumber(days) ?? USUAL_DAYS)));
    });
}

/** One message with picture and text where the text fits under a picture; the text alone when drawing fails. */
async function showCosts(kit: Kit, ctx: DeskContext, days: number): Promise<void> {
  const report = await kit.desk.costs(days);
  const text = describeCosts(report);
  const picture = await draw(kit, report);
  const fits = text.text.length <= MAX_CAPTION;
  if (picture) {
    const caption = fits ? text : plain(costCaption(report, picture.simulated));
    const place = placeOf(ctx);
    await ctx.api.sendPhoto(place.chat, new InputFile(picture.png, "spend.png"), {
      caption: caption.caption,
      caption_entities: caption.caption_entities,
      message_thread_id: place.thread ?? undefined,
      reply_markup: fits ? costButtons(days) : undefined,
    });
  }
  if (!picture || !fits) await reply(ctx, { text, keyboard: costButtons(days) });
}

async function draw(kit: Kit, report: CostReport): Promise<{ png: Uint8Array; simulated: boolean } | null> {
  const [first] = report.total;
  if (!kit.pictures || !first || report.days < 2) return null;
  try {
    const { dayCap } = await kit.desk.budgets();
    const png = await kit.pictures.spend(report, first.simulated, dayCap);
    return png === null ? null : { png, simulated: first.simulated };
  } catch (error) {
    kit.log("warn", { error: messageOf(error) }, "could not draw a chart; the text goes out without it");
    return null;
  }
}
