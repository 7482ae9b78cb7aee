/**
 * An axis of equal places (days, sessions, bins): what stands in place i covers i - 0.5 to i + 0.5 on a linear scale.
 */
import { labelledAxisX } from "./axis_x.ts";
import { FONT_SIZE } from "./layout.ts";
import { measureText } from "./text.ts";
import type { Frame, Marks, PlotOptions } from "./types.ts";

/** A tick's text; the group (the year of a day) is written below it where it changes. */
export interface SlotLabel {
  text: string;
  group: string;
}

/** A bar thinner than this, gap included, is better added up with its neighbours. */
const THINNEST = 7;
const WIDEST_BAR = 64;

/** How many places an axis of this frame can show. */
export function slotLimit(frame: Frame): number {
  return Math.max(12, Math.floor(frame.innerWidth / THINNEST));
}

export function slotScale(count: number): PlotOptions["x"] {
  return { type: "linear", domain: [-0.5, count - 0.5], axis: null };
}

/** Pixels to leave on each side of a bar, so that one bar alone does not fill the chart. */
export function slotInset(frame: Frame, count: number): number {
  const slot = frame.innerWidth / count;
  return Math.max(slot < 12 ? 0.5 : slot * 0.12, (slot - WIDEST_BAR) / 2);
}

/** The places whose label is written: as many as fit, counted from the newest. */
export function shownSlots(labels: readonly SlotLabel[], innerWidth: number): number[] {
  const widest = labels.reduce(
    (width, { text, group }) => Math.max(width, measureText(text, FONT_SIZE), measureText(group, FONT_SIZE)),
    0,
  );
  const step = Math.max(1, Math.ceil((widest + 14) / (innerWidth / labels.length)));
  const shown: number[] = [];
  for (let index = labels.length - 1; index >= 0; index -= step) shown.unshift(index);
  return shown;
}

export function slotAxis(frame: Frame, labels: readonly SlotLabel[]): Marks {
  const shown = shownSlots(labels, frame.innerWidth);
  const texts = new Map(shown.map((slot, position) => {
    const { text, group } = labels[slot] as SlotLabel;
    const before = labels[shown[position - 1] ?? -1]?.group;
    return [slot, group === "" || group === before ? text : `${text}\n${group}`];
  }));
  return [
    labelledAxisX(frame, shown, (slot) => texts.get(slot) ?? ""),
  ];
}

/** Lines of text that `slotAxis` needs. */
export function slotLines(labels: readonly SlotLabel[]): 1 | 2 {
  return labels.some(({ group }) => group !== "") ? 2 : 1;
}
