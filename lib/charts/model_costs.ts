/** What the same work would have cost with each model. */
import { type Micros, micros } from "../money.ts";
import { heightForRows, isNarrow, namedRowsPanel } from "./named_rows.ts";
import { nameText } from "./text.ts";
import { plural, shortUsd, toUsd, usdTickFormat } from "./ticks.ts";
import type { Chart, Drawing, Frame } from "./types.ts";

export interface ModelCost {
  model: string;
  cost: Micros;
  /** The model that really did the work. */
  used?: boolean;
}

export interface ModelCostsInput {
  rows: readonly ModelCost[];
  /** What was priced, for example "208 articles of session 12". */
  work?: string;
}

const MOST_ROWS = 20;

export function modelCosts({ rows, work }: ModelCostsInput): Chart {
  const sorted = [...rows].sort((a, b) => a.cost - b.cost || (a.model < b.model ? -1 : 1));
  const shown = sorted.slice(0, MOST_ROWS);
  const used = sorted.find((row) => row.used);
  // The model in use is what the others are compared with; it stays whatever its price.
  if (used !== undefined && !shown.includes(used)) shown.splice(-1, 1, used);
  return {
    kind: "model-costs",
    title: "Cost by model",
    description: rows.length === 0 ? "No model has a price for this work." : `${summarize(sorted, work)}.`,
    empty: rows.length === 0 ? "No data yet: there is no work to price." : null,
    heightFor: () => heightForRows(shown.length),
    draw: (frame) => draw(shown, sorted.length, used, frame, work),
  };
}

function draw(
  rows: readonly ModelCost[],
  all: number,
  used: ModelCost | undefined,
  frame: Frame,
  work: string | undefined,
): Drawing {
  const left = all - rows.length;
  const notes = [
    ...(work === undefined ? [] : [nameText(work)]),
    ...(left > 0 ? [`${plural(left, "dearer model")} not shown`] : []),
  ];
  const named = rows.map((row) => ({
    name: row.model,
    value: toUsd(row.cost),
    figure: shortUsd(row.cost) + (row === used ? " · used" : isNarrow(frame) ? "" : compare(row.cost, used)),
    color: frame.paint[row === used ? "orange" : "blue"],
    strong: row === used,
  }));
  return {
    notes: notes.length === 0 ? [] : [notes.join(" · ")],
    legend: [],
    panels: [
      namedRowsPanel(frame, named, { label: "US dollars", smallestStep: 0, formatFor: usdTickFormat }),
    ],
  };
}

/** " · +20 %" against the model in use. */
function compare(cost: Micros, used: ModelCost | undefined): string {
  if (used === undefined || used.cost === 0) return "";
  const percent = Math.round((cost - used.cost) * 100 / used.cost);
  return ` · ${percent < 0 ? "−" : "+"}${Math.abs(percent)} %`;
}

function summarize(sorted: readonly ModelCost[], work: string | undefined): string {
  const [least, most] = [sorted[0] as ModelCost, sorted.at(-1) as ModelCost];
  const name = ({ model, cost }: ModelCost) => `${shortUsd(micros(cost))} with ${nameText(model)}`;
  const what = work === undefined ? "The work" : nameText(work);
  return least === most
    ? `${what} costs ${name(least)}`
    : `${what} costs from ${name(least)} to ${name(most)}`;
}
