/**
 * A notebook's file: what of it is looked at here, and how it is tidied before it is kept. Whatever depends on the
 * machine or the moment of a run goes, so that a notebook executed twice on the same data is the same file.
 */
import { z } from "zod";
import { PART } from "../kit/displayable.ts";

const bundle = z.record(z.string(), z.unknown());
const outputSchema = z.looseObject({
  output_type: z.string(),
  data: bundle.optional(),
  metadata: bundle.optional(),
  execution_count: z.number().nullable().optional(),
});
const cellSchema = z.looseObject({
  cell_type: z.string(),
  metadata: bundle,
  source: z.union([z.string(), z.array(z.string())]),
  outputs: z.array(outputSchema).optional(),
});
export const notebookSchema = z.looseObject({ cells: z.array(cellSchema), metadata: bundle });

export type Notebook = z.infer<typeof notebookSchema>;
export type NotebookCell = z.infer<typeof cellSchema>;
export type NotebookOutput = z.infer<typeof outputSchema>;

export function readNotebook(path: string): Notebook {
  return notebookSchema.parse(JSON.parse(Deno.readTextFileSync(path)));
}

export function sourceOf({ source }: NotebookCell): string {
  return typeof source === "string" ? source : source.join("");
}

const partSchema = z.object({ part: z.number(), of: z.number() });

/** Numbers (from 1) of code cells of which an output was lost on its way: see `show`. */
export function findLostOutputs({ cells }: Notebook): number[] {
  return cells.flatMap((cell, index) => isWhole(cell) ? [] : [index + 1]);
}

/** In every run of the cell, not under a condition: it has an output then, whatever it shows. */
const SHOWS = /^await show\(/m;

/** `show` may be called several times in a cell; each call numbers its outputs from 1. */
function isWhole(cell: NotebookCell): boolean {
  const parts = (cell.outputs ?? []).flatMap(({ metadata }) => {
    const parsed = partSchema.safeParse(metadata?.[PART]);
    return parsed.success ? [parsed.data] : [];
  });
  if (parts.length === 0) return cell.cell_type !== "code" || !SHOWS.test(sourceOf(cell));
  let expected = 1;
  for (const { part, of } of parts) {
    if (part !== expected) return false;
    expected = part === of ? 1 : part + 1;
  }
  return expected === 1;
}

const METADATA = {
  kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
  language_info: { file_extension: ".ts", mimetype: "text/x.typescript", name: "typescript" },
};

/** As it is kept. Of a chart the PNG stays alone, which every code host shows; live notebooks have the SVG too. */
export function tidyNotebook(notebook: Notebook): Notebook {
  return {
    ...notebook,
    metadata: METADATA,
    cells: notebook.cells.map(({ outputs, ...cell }) => ({
      ...cell,
      metadata: without(cell.metadata, "execution"),
      ...(outputs && { outputs: outputs.map(tidyOutput) }),
    })),
  };
}

function tidyOutput(output: NotebookOutput): NotebookOutput {
  const { data, metadata } = output;
  return {
    ...output,
    ...(metadata && { metadata: without(metadata, PART) }),
    ...(data && { data: "image/png" in data ? without(data, "text/html") : data }),
  };
}

function without(record: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}

/** In Jupyter's own layout: one space a level, names in order. */
export function writeNotebook(path: string, notebook: Notebook): void {
  Deno.writeTextFileSync(path, `${JSON.stringify(inOrder(notebook), null, 1)}\n`);
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, inner]) => [key, inOrder(inner)]),
  );
}
