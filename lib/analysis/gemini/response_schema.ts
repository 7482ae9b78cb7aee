/**
 * The schema Gemini is asked to fill, made from the one the answer is checked with, so the two cannot drift apart.
 * Only the keywords both need are kept. Lengths, ranges and array limits stay out: they cost tokens and states in
 * constrained decoding (Gemini refuses schemas with too many), and the instruction asks for less than they allow.
 */
import { type ResponseSchema, SchemaType } from "@google/generative-ai";
import { z } from "zod";

interface JsonSchema {
  type?: string;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  maxLength?: number;
  maxItems?: number;
}

/** The JSON Schema of a zod schema, as far as this project's answers use it. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
}

/** Gemini's form of it (an OpenAPI subset). Throws `TypeError` for a kind of field the answers do not use. */
export function toResponseSchema(schema: JsonSchema): ResponseSchema {
  switch (schema.type) {
    case "string":
      return schema.enum
        ? { type: SchemaType.STRING, format: "enum", enum: schema.enum.map(String) }
        : { type: SchemaType.STRING };
    case "number":
      return { type: SchemaType.NUMBER };
    case "array":
      return { type: SchemaType.ARRAY, items: toResponseSchema(schema.items ?? {}) };
    case "object": {
      const entries = Object.entries(schema.properties ?? {});
      return {
        type: SchemaType.OBJECT,
        properties: Object.fromEntries(entries.map(([name, field]) => [name, toResponseSchema(field)])),
        // Every field is asked for; the checking schema knows no optional ones.
        required: entries.map(([name]) => name),
      };
    }
    default:
      throw new TypeError(`Gemini's schema has no form for a field of type ${schema.type}`);
  }
}
