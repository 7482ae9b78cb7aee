/**
 * Shortens what is only too long before an answer is checked, so that a paid answer is not thrown away for being
 * wordy. Nothing is invented: strings lose their tail, lists their last or blank entries. Wrong types, missing
 * fields and numbers out of range stay as they are and fail the check.
 */
import { cutText } from "../cut_text.ts";
import type { toJsonSchema } from "./response_schema.ts";

type JsonSchema = ReturnType<typeof toJsonSchema>;

/** A copy of `value` within the schema's lengths. */
export function trimAnswer(value: unknown, schema: JsonSchema): unknown {
  if (typeof value === "string") {
    // Postgres stores neither NUL nor half a surrogate pair, and JSON can spell both.
    const storable = value.toWellFormed().replaceAll("\0", "").trim();
    return schema.maxLength === undefined ? storable : cutText(storable, schema.maxLength);
  }
  if (Array.isArray(value) && schema.items) {
    const items = schema.items;
    const kept = value.filter((entry) => typeof entry !== "string" || entry.trim() !== "");
    return kept.slice(0, schema.maxItems).map((entry) => trimAnswer(entry, items));
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value) && schema.properties) {
    const fields = Object.entries(schema.properties).filter(([name]) => Object.hasOwn(value, name));
    return Object.fromEntries(
      fields.map(([name, field]) => [name, trimAnswer((value as Record<string, unknown>)[name], field)]),
    );
  }
  return value;
}
