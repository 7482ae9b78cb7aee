/** The pictures of the chat, drawn by the code that draws for pages and notebooks. */
import { renderPng } from "../lib/charts/render_png.ts";
import { spendByDay } from "../lib/charts/spend_by_day.ts";
import type { Pictures } from "./pictures.ts";

const DAY_MS = 86_400_000;

export const drawnPictures: Pictures = {
  async spend(report, simulated, dayCap) {
    const rows = report.byDayAndKind.filter((line) => line.simulated === simulated)
      .map(({ day, kind, spent }) => ({ day, use: kind, spent }));
    const to = new Date();
    const from = new Date(to.getTime() - (report.days - 1) * DAY_MS);
    const chart = spendByDay({ rows, dayCap, from: isoDay(from), to: isoDay(to) });
    if (chart.empty !== null) return null;
    const title = simulated ? `${chart.title}, simulated` : chart.title;
    return await renderPng(chart, { width: 640, theme: "dark", title });
  },
};

function isoDay(at: Date): string {
  return at.toISOString().slice(0, 10);
}
