/** Tables: escaped, numbers to the right, and never cut without saying so. */
import { type Displayable, displayable } from "./displayable.ts";
import { type Cell, Html, toHtml } from "./html.ts";
import { plainTable } from "./plain_table.ts";

/** Heading to what stands under it. */
export type Columns<Row> = Record<string, (row: Row, index: number) => Cell>;

export interface TableOptions {
  caption?: string;
  /** Rows shown; 20 unless told. How many are left out is said below. */
  limit?: number;
  /** Said in place of a table without rows. */
  empty?: string;
}

const LIMIT = 20;
/** Figures with their units: "$0.0012", "+12 %", "3.4 s", "18 of 20", "×4.1", and a dash for none. */
const FIGURE =
  /^(?:–|[+−-]?[×≈]?\s?\$?\d[\d,]*(?:\.\d+)?(?:\s?(?:%|pp|×|ms|s|min|h|d))?(?:\s(?:of|\/)\s\d[\d,]*)?)$/;

export function table<Row>(
  rows: readonly Row[],
  columns: Columns<Row>,
  { caption, limit = LIMIT, empty = "No rows." }: TableOptions = {},
): Displayable {
  if (rows.length === 0) {
    const text = toHtml(empty);
    return displayable({ "text/plain": text.text, "text/html": `<p><em>${text.html}</em></p>` });
  }
  const headings = Object.keys(columns);
  const shown = alignPoints(
    rows.slice(0, limit).map((row, index) => Object.values(columns).map((read) => toHtml(read(row, index)))),
  );
  const right = headings.map((_, column) =>
    shown.every((cells) => FIGURE.test((cells[column] as Html).text.trim()))
  );
  const left = rows.length - shown.length;
  const note = left > 0 ? `… and ${left.toLocaleString("en-US")} more` : "";
  return displayable({
    "text/plain": plainTable({
      headings,
      rows: shown.map((cells) => cells.map(({ text }) => text)),
      right,
      caption,
      note,
    }),
    "text/html": htmlTable({ headings, shown, right, caption, note }),
  });
}

interface Layout {
  headings: readonly string[];
  shown: readonly (readonly Html[])[];
  right: readonly boolean[];
  caption: string | undefined;
  note: string;
}

const DOLLARS = /^[+−-]?\$[\d,]+\.(\d+)$/;
/** As wide as a digit. */
const FIGURE_SPACE = "\u2007";

/** Dollars have two decimals or four or six, by their size; in a column their points stand below each other. */
function alignPoints(rows: readonly (readonly Html[])[]): Html[][] {
  const decimals = (cell: Html | undefined) => DOLLARS.exec(cell?.text ?? "")?.[1]?.length ?? 0;
  const most = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => decimals(cells[column]))));
  return rows.map((cells) =>
    cells.map((cell, column) => {
      const own = decimals(cell);
      if (own === 0) return cell;
      const fill = FIGURE_SPACE.repeat((most[column] ?? own) - own);
      return new Html(cell.html + fill, cell.text + fill);
    })
  );
}

/** Both the attribute and the style: code hosts drop the one, viewers with a style sheet override the other. */
function htmlTable({ headings, shown, right, caption, note }: Layout): string {
  const place = (column: number) => right[column] ? "right" : "left";
  const style = (column: number) =>
    `align="${place(column)}" style="text-align:${place(column)};vertical-align:top` +
    `${right[column] ? ";white-space:nowrap;font-variant-numeric:tabular-nums" : ""}"`;
  const head = headings.map((text, column) => `<th ${style(column)}>${toHtml(text).html}</th>`).join("");
  const body = shown.map((cells) =>
    `<tr>${cells.map(({ html }, column) => `<td ${style(column)}>${html}</td>`).join("")}</tr>`
  ).join("\n");
  return (caption ? `<p><strong>${toHtml(caption).html}</strong></p>` : "") +
    `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody></table>` +
    (note ? `<p><em>${note}</em></p>` : "");
}
