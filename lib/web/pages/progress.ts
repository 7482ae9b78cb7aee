/** How far a session is, in figures. */
import { html } from "hono/html";
import type { Alert } from "../../alerts/types.ts";
import type { Progress } from "../../batches/read_sessions.ts";
import { isLive, type Session } from "../../batches/types.ts";
import { formatUsd, type Micros } from "../../money.ts";
import type { Html } from "./layout.ts";
import { count, duration, type Figure, percent, showFigures, showMoney, showState } from "./words.ts";

export function showProgress(progress: Progress): Html {
  const { session } = progress;
  const { status, reason, resume_at } = session;
  return html`
    <p>${showState(status, reason)}${resume_at
      ? html`
        <span class="muted">comes back by itself at ${resume_at.toISOString().slice(11, 16)}</span>
      `
      : ""}</p>
    ${showBar(session)}${showFigures(
      figuresOf(progress),
    )}
  `;
}

/** For those who listen: in steps of a tenth, so that it is not said all the time. */
export function describeNews({ session, done }: Progress, alerts: readonly Alert[]): string {
  const { number, status, total } = session;
  const tenths = total === 0 ? 0 : Math.floor(done * 10 / total) * 10;
  const open = alerts.length === 0
    ? ""
    : `, ${alerts.length} open ${alerts.length === 1 ? "alert" : "alerts"}`;
  return `Session ${number} is ${status.toLowerCase()}, ${tenths} % done${open}`;
}

/** What became of the articles, as a bar: analysed, failed, left out, and what is still to come. */
function showBar({ number, total, analyzed, failed, skipped }: Session): Html {
  const label =
    `Session ${number}: ${analyzed} of ${total} articles analysed, ${failed} failed, ${skipped} left out`;
  const parts = [["good", analyzed], ["bad", failed], ["warn", skipped]] as const;
  let x = 0;
  return html`
    <svg class="bar" role="img" aria-label="${label}" viewBox="0 0 ${Math.max(1, total)} 1"
      preserveAspectRatio="none">${parts.map(([tone, n]) => {
        const from = x;
        x += n;
        return html`
          <rect class="${tone}" x="${from}" y="0" width="${n}" height="1" />
        `;
      })}</svg>
  `;
}

function figuresOf(
  { session, done, processing, perMinute, etaMs, projected, nextDueMs }: Progress,
): Figure[] {
  const { total, analyzed, failed, skipped, retries, spent, held, budget, unknown, overrun, simulated } =
    session;
  const live = isLive(session.status);
  const figures: Figure[] = [
    {
      name: "Articles",
      // While it works this is how far it is, afterwards what came of it.
      value: `${count(live ? done : analyzed)} of ${count(total)}`,
      note: `${count(analyzed)} analysed, ${count(failed)} failed, ${count(skipped)} left out`,
    },
    {
      name: "Spent",
      value: showMoney(spent, simulated),
      note: `${percent(spent, budget)} of ${formatUsd(budget)}${held > 0 ? `, ${formatUsd(held)} held` : ""}`,
    },
  ];
  if (analyzed > 0) {
    figures.push({
      name: "An article",
      value: formatUsd(Math.round((spent + overrun) / analyzed) as Micros),
      note: live && projected !== null ? `${formatUsd(projected)} in the end` : "on average",
    });
  }
  if (live) {
    figures.push({
      name: "Pace",
      value: perMinute ? `${Math.round(perMinute)} a minute` : "–",
      note: etaMs !== null
        ? `about ${duration(etaMs)} left`
        : nextDueMs !== null
        ? `next work in ${duration(nextDueMs)}`
        : `${processing} under way`,
    });
  }
  if (retries > 0) figures.push({ name: "Retries", value: count(retries) });
  if (unknown > 0) {
    figures.push({
      name: "Unknown outcomes",
      value: formatUsd(unknown),
      note: "charged in full until resolved",
    });
  }
  if (overrun > 0) {
    figures.push({ name: "Above holds", value: formatUsd(overrun), note: "billed beyond the bound" });
  }
  return figures;
}
