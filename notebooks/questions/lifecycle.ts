/** How long models can be called: a small dated file (`model_lifecycle.json`), because no price list says it. */
import { z } from "zod";
import lifecycle from "../model_lifecycle.json" with { type: "json" };

const date = z.string().regex(/^\d{4}-\d\d-\d\d$/);
const entrySchema = z.object({
  model: z.string(),
  /** The earliest day on which it may end; null: none is announced. */
  ends: date.nullable(),
  /** What answers in its place, or what is recommended. */
  then: z.string().nullable(),
  note: z.string(),
});
const fileSchema = z.object({ source: z.url(), read: date, models: z.array(entrySchema) });

export type ModelEnd = z.infer<typeof entrySchema>;

/** Where the dates come from, and the day on which they were read there. */
export const { source: LIFECYCLE_SOURCE, read: LIFECYCLE_READ, models } = fileSchema.parse(lifecycle);

/** Null: the file does not know the model. */
export function findEnd(model: string): ModelEnd | null {
  return models.find((entry) => entry.model === model) ?? null;
}

export function hasEnded(model: string, at: Date): boolean {
  const ends = findEnd(model)?.ends ?? null;
  return ends !== null && ends <= at.toISOString().slice(0, 10);
}

/** Whole days from a moment to a date YYYY-MM-DD. */
export function daysUntil(date: string, at: Date): number {
  return Math.ceil((Date.parse(date) - at.getTime()) / 86_400_000);
}
