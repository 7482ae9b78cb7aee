/** Plain tables: aligned columns, no frames, so that they can be read, piped and copied. */
import Table from "cli-table3";
import pc from "picocolors";

const NO_FRAME = Object.fromEntries(
  ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right", "left"]
    .concat(["left-mid", "mid", "mid-mid", "right", "right-mid"]).map((part) => [part, ""]),
);

export interface Column {
  title: string;
  align?: "left" | "right";
}

export function formatTable(columns: readonly Column[], rows: readonly (string | number)[][]): string {
  const table = new Table({
    head: columns.map((column) => pc.dim(column.title)),
    colAligns: columns.map((column) => column.align ?? "left"),
    chars: { ...NO_FRAME, middle: "  " },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => row.map(String)));
  return table.toString().split("\n").map((line) => line.trimEnd()).join("\n");
}
