/**
 * The model writes an entity as one text, "Bitcoin Core (PROJECT)": as an object with two named fields it took twice as
 * many tokens in the answer, and its form 40 more in every request.
 */
import { z } from "zod";
import { analysisSchema, ENTITY_TYPES } from "../schema.ts";

/** An analysis as the model is asked to write it. */
export const writtenAnalysisSchema = analysisSchema.extend({ entities: z.array(z.string()) });

const WRITTEN = /^(.*\S)\s*\(([^()]*)\)\s*$/s;
const TYPES: ReadonlySet<string> = new Set(ENTITY_TYPES);

/** The answer with its entities as objects. A type that is none of ours is OTHER; anything else stays as it is. */
export function readEntities(answer: unknown): unknown {
  if (typeof answer !== "object" || answer === null || !("entities" in answer)) return answer;
  const { entities } = answer;
  return Array.isArray(entities) ? { ...answer, entities: entities.map(readEntity) } : answer;
}

function readEntity(text: unknown): unknown {
  if (typeof text !== "string") return text;
  const [, name = text, type = ""] = WRITTEN.exec(text) ?? [];
  const known = type.trim().toUpperCase();
  return TYPES.has(known) ? { name, type: known } : { name: type === "" ? text : name, type: "OTHER" };
}
