/** What each session spent, against the budget it had, coloured by how it ended. */
import type { SessionStatus } from "../batches/types.ts";
import { type Micros, micros } from "../money.ts";
import { legendOf, pickSeries, type Series, stackBars, stackMarks } from "./series.ts";
import { slotAxis, slotInset, type SlotLabel, slotLimit, slotScale } from "./slots.ts";
import { formatCount, plural, shortUsd, sumMicros, toUsd } from "./ticks.ts";
import type { Chart, Drawing, Frame, Marks } from "./types.ts";
import { valueAxis } from "./value_axis.ts";

/** The columns of a `Session` that are drawn. */
export interface SessionSpend {
  number: number;
  status: SessionStatus;
  spent: Micros;
  budget: Micros;
}

export interface SpendBySessionInput {
  sessions: readonly SessionSpend[];
}

const OUTCOMES: readonly Series[] = [
  { key: "COMPLETED", label: "completed", color: "teal" },
  { key: "PARTIAL", label: "partial", color: "orange" },
  { key: "FAILED", label: "failed", color: "pink" },
  { key: "CANCELLED", label: "cancelled", color: "grey" },
  { key: "LIVE", label: "not ended", color: "blue" },
];

export function spendBySession({ sessions }: SpendBySessionInput): Chart {
  const summary = sessions.length === 0 ? "" : summarize(sessions);
  return {
    kind: "spend-by-session",
    title: "Spend by session",
    description: summary === "" ? "There is no session." : `${summary}.`,
    empty: summary === "" ? "No data yet: no session has been started." : null,
    heightFor: (width) => width < 500 ? 430 : 390,
    draw: (frame) => draw([...sessions].sort((a, b) => a.number - b.number), frame, summary),
  };
}

/** Neighbours that share a bar because there are more sessions than places; usually one. */
type Group = SessionSpend[];

function draw(sessions: SessionSpend[], frame: Frame, summary: string): Drawing {
  const size = Math.ceil(sessions.length / slotLimit(frame));
  const groups: Group[] = [];
  for (let index = 0; index < sessions.length; index += size) {
    groups.push(sessions.slice(index, index + size));
  }

  const weights = new Map(sessions.map(({ status }) => [outcomeOf(status), 1]));
  const { series } = pickSeries(weights, OUTCOMES);
  const values = groups.map((group) =>
    series.map(({ key }) =>
      group.reduce((sum, { status, spent }) => outcomeOf(status) === key ? sum + spent : sum, 0)
    )
  );
  const { bars, max } = stackBars(
    frame,
    series,
    values,
    toUsd,
    (slot, { label }, spent) => `${nameGroup(groups[slot] ?? [])} · ${label} · ${shortUsd(micros(spent))}`,
  );
  const budgets = groups.map((group, slot) => ({
    slot,
    budget: sumMicros(group.map(({ budget }) => budget)),
  }));
  const top = budgets.reduce((most, { budget }) => Math.max(most, budget), max);
  const axis = valueAxis(frame, toUsd(top), frame.height * 0.7, "usd");
  const labels = groups.map((group): SlotLabel => ({ text: `#${group[0]?.number}`, group: "" }));
  const inset = slotInset(frame, groups.length);
  return {
    notes: [summary, ...(size > 1 ? [`Each bar adds up ${size} sessions`] : [])],
    legend: [...legendOf(frame, series), { label: "budget", color: frame.paint.ink, mark: "line" }],
    panels: [{
      share: 1,
      yLabel: size > 1 ? `US dollars per ${size} sessions` : "US dollars per session",
      xLabel: size > 1 ? "first session of each bar" : "session",
      marginLeft: axis.marginLeft,
      xTickLines: 1,
      options: {
        x: slotScale(groups.length),
        y: axis.scale,
        marks: [
          ...axis.marks,
          ...stackMarks(frame, bars, inset),
          ...budgetMarks(frame, budgets, inset),
          ...slotAxis(frame, labels),
        ],
      },
    }],
  };
}

function budgetMarks(frame: Frame, budgets: { slot: number; budget: Micros }[], inset: number): Marks {
  return [frame.plot.ruleY(budgets, {
    y: ({ budget }: { budget: Micros }) => toUsd(budget),
    x1: ({ slot }: { slot: number }) => slot - 0.5,
    x2: ({ slot }: { slot: number }) => slot + 0.5,
    insetLeft: Math.max(0, inset - 3),
    insetRight: Math.max(0, inset - 3),
    stroke: frame.paint.ink,
    strokeWidth: 2,
  })];
}

function outcomeOf(status: SessionStatus): string {
  return OUTCOMES.some(({ key }) => key === status) ? status : "LIVE";
}

function nameGroup(group: Group): string {
  const [first, last] = [group[0]?.number, group.at(-1)?.number];
  return first === last ? `session ${first}` : `sessions ${first} to ${last}`;
}

function summarize(sessions: readonly SessionSpend[]): string {
  const spent = sumMicros(sessions.map((session) => session.spent));
  const counts = OUTCOMES.map(({ key, label }) => {
    const count = sessions.filter(({ status }) => outcomeOf(status) === key).length;
    return count === 0 ? "" : `${formatCount(count)} ${label}`;
  }).filter((text) => text !== "");
  return `${plural(sessions.length, "session")} (${counts.join(", ")}) spent ${shortUsd(spent)} ` +
    `of ${shortUsd(sumMicros(sessions.map(({ budget }) => budget)))}`;
}
