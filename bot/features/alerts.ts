/** /alerts and /mute: what is wrong, that it was seen, and being quiet about it. */
import { InlineKeyboard } from "grammy";
import { nextMorning } from "../../lib/alerts/quiet_hours.ts";
import type { Alert } from "../../lib/alerts/types.ts";
import { redraw } from "../alert_messages.ts";
import { FORMS, words, wrong } from "../arguments.ts";
import { mayAct } from "../access.ts";
import { UserError } from "../../lib/errors.ts";
import { buttonData, readNumber } from "../button_data.ts";
import type { DeskContext } from "../context.ts";
import { Feature } from "../feature.ts";
import type { Kit } from "../kit.ts";
import { listAlertsOf } from "../notices.ts";
import { ALERTS_SHOWN, describeAlertList, describeMutes, nameMute } from "../replies/alert_list.ts";
import { clock, count, lines, plain } from "../replies/format.ts";
import { change, reply, type Saying, toast } from "../speak.ts";

const HOUR_MS = 3_600_000;
const SPANS = ["1h", "4h", "morning"] as const;
type Span = (typeof SPANS)[number];

export function alertsFeature(kit: Kit): Feature {
  return new Feature(kit)
    .command("alerts", "what is wrong now", "viewer", async (ctx) => {
      await reply(ctx, await listAlerts(kit, ctx));
    })
    .button("alerts", "viewer", async (ctx) => {
      await change(ctx, await listAlerts(kit, ctx));
    })
    .button("ack", "operator", async (ctx, [id]) => {
      const alert = readNumber(id);
      if (alert === null) return await acknowledgeHere(kit, ctx);
      await kit.desk.acknowledgeAlert(alert, ctx.person.actor);
      await toast(ctx, `Alert ${alert} is marked as seen.`);
      await change(ctx, await listAlerts(kit, ctx));
    })
    .command("mute", "be quiet about alerts for a while", "viewer", async (ctx, text) => {
      await muteByCommand(kit, ctx, text);
    })
    .button("mute", "operator", async (ctx, [span, where]) => {
      const wanted = SPANS.find((known) => known === span);
      if (wanted) await muteByButton(kit, ctx, wanted, where === "here");
    })
    .button("unmute", "operator", async (ctx) => {
      await toast(ctx, sayUnmuted(await kit.desk.unmuteAlerts(ctx.person.actor)));
      await change(ctx, await listAlerts(kit, ctx));
    });
}

async function listAlerts({ desk, now, zone }: Kit, ctx: DeskContext): Promise<Saying> {
  const [open, recent, mutes] = await Promise.all([desk.openAlerts(), desk.recentAlerts(20), desk.mutes()]);
  const text = describeAlertList(open, recent, mutes, { now: now(), zone });
  if (ctx.person.role !== "operator") return { text };
  const keyboard = new InlineKeyboard();
  const unseen = open.slice(0, ALERTS_SHOWN).filter(({ acknowledged_at }) => acknowledged_at === null);
  for (const [index, { alert_id }] of unseen.entries()) {
    if (index % 4 === 0) keyboard.row();
    keyboard.text(`Seen #${alert_id}`, buttonData("ack", alert_id));
  }
  keyboard.row().text("Mute all 1 h", buttonData("mute", "1h")).text("4 h", buttonData("mute", "4h"))
    .text("until morning", buttonData("mute", "morning"));
  if (mutes.length > 0) keyboard.row().text("End all mutes", buttonData("unmute"));
  return { text, keyboard };
}

/** Every alert that the message tells of. */
async function acknowledgeHere(kit: Kit, ctx: DeskContext): Promise<void> {
  const told = await alertsHere(kit, ctx);
  for (const { alert_id } of told.alerts.filter(isUnseen)) {
    await kit.desk.acknowledgeAlert(alert_id, ctx.person.actor);
  }
  await toast(ctx, told.alerts.length === 0 ? "These alerts are gone." : "Marked as seen.");
  await redraw(kit, told.chat, told.message, (await alertsHere(kit, ctx)).alerts, "raised");
}

function isUnseen({ lasting, acknowledged_at, resolved_at }: Alert): boolean {
  return lasting && acknowledged_at === null && resolved_at === null;
}

async function alertsHere(
  { db }: Kit,
  ctx: DeskContext,
): Promise<{ chat: number; message: number; alerts: Alert[] }> {
  const pressed = ctx.callbackQuery?.message;
  if (!pressed) return { chat: 0, message: 0, alerts: [] };
  const { chat: { id: chat }, message_id: message } = pressed;
  return { chat, message, alerts: await listAlertsOf(db, chat, message) };
}

async function muteByCommand(kit: Kit, ctx: DeskContext, text: string): Promise<void> {
  const [span, rule, more] = words(text.toLowerCase());
  if (span === undefined) {
    const mutes = describeMutes(await kit.desk.mutes(), { now: kit.now(), zone: kit.zone });
    return void await reply(ctx, { text: lines(mutes, plain(FORMS.mute)) });
  }
  if (!mayAct(ctx.person.role, "operator")) throw new UserError("Muting is for operators; you may look.");
  if (span === "off" && rule === undefined) {
    return void await reply(ctx, { text: plain(sayUnmuted(await kit.desk.unmuteAlerts(ctx.person.actor))) });
  }
  const wanted = SPANS.find((known) => known === span);
  if (!wanted || more !== undefined) throw wrong(text.trim(), FORMS.mute);
  const mute = await kit.desk.muteAlerts(
    { rule: rule ?? null, session: null, until: endOf(kit, wanted) },
    ctx.person.actor,
  );
  await reply(ctx, {
    text: plain(`Muted: ${nameMute(mute)}, until ${clock(mute.until, kit.zone, kit.now())}.`),
  });
}

/** @param here Only what the pressed message is about. */
async function muteByButton(kit: Kit, ctx: DeskContext, span: Span, here: boolean): Promise<void> {
  const until = endOf(kit, span);
  const { actor } = ctx.person;
  const time = clock(until, kit.zone, kit.now());
  if (!here) {
    await kit.desk.muteAlerts({ rule: null, session: null, until }, actor);
    await toast(ctx, `Everything is muted until ${time}.`);
    return await change(ctx, await listAlerts(kit, ctx));
  }
  const { alerts } = await alertsHere(kit, ctx);
  const scopes = new Map(alerts.map(({ rule, number }) => [`${rule} ${number}`, { rule, number }]));
  for (const { rule, number } of scopes.values()) {
    await kit.desk.muteAlerts({ rule, session: number, until }, actor);
  }
  const what = [...scopes.values()].map(nameMute).join(", ");
  await toast(ctx, what === "" ? "These alerts are gone." : `Muted until ${time}: ${what}`, true);
}

function endOf({ config, now }: Kit, span: Span): Date {
  if (span === "morning") return nextMorning(now(), config.alerts.quietHours, config.alerts.timeZone);
  return new Date(now().getTime() + (span === "1h" ? 1 : 4) * HOUR_MS);
}

function sayUnmuted(ended: number): string {
  return ended === 0 ? "Nothing was muted." : `${count(ended, "mute")} ended; what waited is told now.`;
}
