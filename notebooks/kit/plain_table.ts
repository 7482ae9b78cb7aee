/** A table as plain text, for terminals and for viewers that show no HTML. */

export interface PlainTable {
  headings: readonly string[];
  rows: readonly (readonly string[])[];
  /** Columns whose texts end at the same place. */
  right: readonly boolean[];
  caption?: string | undefined;
  note: string;
}

/** Longer texts would push everything else out of sight. */
const WIDEST = 60;

export function plainTable({ headings, rows, right, caption, note }: PlainTable): string {
  const cut = (text: string) => {
    const letters = [...text];
    return letters.length <= WIDEST ? text : `${letters.slice(0, WIDEST - 1).join("")}…`;
  };
  const all = [headings, ...rows].map((cells) => cells.map(cut));
  const widths = headings.map((_, column) =>
    Math.max(...all.map((cells) => [...cells[column] ?? ""].length))
  );
  const lines = all.map((cells) =>
    cells.map((text, column) => {
      const fill = " ".repeat((widths[column] ?? 0) - [...text].length);
      return right[column] ? fill + text : text + fill;
    }).join("  ").trimEnd()
  );
  return [...(caption ? [caption] : []), ...lines, ...(note ? [note] : [])].join("\n");
}
