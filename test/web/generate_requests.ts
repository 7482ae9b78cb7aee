/** Makes requests out of the API's own description: values that fit, values at the edges, and values that do not fit. */
import fc from "fast-check";
import { z } from "zod";

type JSONSchema = Parameters<typeof z.fromJSONSchema>[0];

interface Schema {
  type?: string | string[];
  enum?: unknown[];
  anyOf?: Schema[];
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Schema>;
  $ref?: string;
  pattern?: string;
}

export interface Operation {
  method: "get" | "post";
  path: string;
  parameters: { name: string; in: "path" | "query" | "header"; schema: Schema }[];
  body: Schema | null;
  answers: Record<string, string[]>;
  /** What the JSON of an answer must look like, by status; nothing that is not described may stand in it. */
  bodies: Record<string, z.ZodType>;
}

interface Described {
  parameters?: Operation["parameters"];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

export function listOperations(description: Record<string, unknown>): Operation[] {
  const paths = description.paths as Record<string, Record<string, Described>>;
  const { schemas } = description.components as { schemas: Record<string, Schema> };
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, described]): Operation => {
      const body = described.requestBody?.content["application/json"].schema ?? null;
      return {
        method: method as Operation["method"],
        path,
        parameters: described.parameters ?? [],
        body: body?.$ref ? schemas[body.$ref.split("/").at(-1) ?? ""] : body,
        bodies: Object.fromEntries(
          Object.entries(described.responses).flatMap(([status, { content = {} }]) =>
            Object.entries(content).filter(([type]) => type.endsWith("json"))
              .map(([, { schema }]) => [status, z.fromJSONSchema(close(resolve(schema, schemas)))])
          ),
        ),
        answers: Object.fromEntries(
          Object.entries(described.responses).map((
            [status, { content }],
          ) => [status, Object.keys(content ?? {})]),
        ),
      };
    })
  );
}

/** The schema with what it refers to in its place. */
function resolve(schema: unknown, schemas: Record<string, Schema>): unknown {
  if (Array.isArray(schema)) return schema.map((each) => resolve(each, schemas));
  if (typeof schema !== "object" || schema === null) return schema;
  const { $ref } = schema as Schema;
  if ($ref) return resolve(schemas[$ref.split("/").at(-1) ?? ""], schemas);
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, resolve(value, schemas)]));
}

/** Objects whose fields are listed have no others. */
function close(schema: unknown): JSONSchema {
  return JSON.parse(
    JSON.stringify(schema),
    (_, value) =>
      value?.type === "object" && value.properties && !("additionalProperties" in value)
        ? { ...value, additionalProperties: false }
        : value,
  );
}

export interface Generated {
  operation: Operation;
  summary: string;
  toRequest(token: string): Request;
}

const HOSTILE = fc.constantFrom(
  "",
  "0",
  "-1",
  "1.5",
  "1e400",
  "99999999999999999999",
  "NaN",
  "null",
  "'; DROP TABLE articles; --",
  "<script>",
  "../../etc",
  "%00",
  "🌙",
  "a".repeat(3_000),
);

function textFor(schema: Schema): fc.Arbitrary<string> {
  if (schema.enum) return fc.oneof(fc.constantFrom(...schema.enum.map(String)), HOSTILE);
  return fc.oneof(
    {
      weight: 3,
      arbitrary: fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 5, 5) }).map(String),
    },
    { weight: 1, arbitrary: fc.constantFrom(String(schema.maximum ?? 7), String((schema.maximum ?? 7) + 1)) },
    { weight: 2, arbitrary: HOSTILE },
  );
}

function valueFor(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(valueFor));
  const fitting = schema.enum
    ? fc.constantFrom(...schema.enum)
    : schema.type === "integer" || schema.type === "number"
    ? fc.oneof(fc.integer({ min: 1, max: 50 }), fc.double({ noNaN: true }))
    : fc.string({ maxLength: 30 });
  return fc.oneof({ weight: 3, arbitrary: fitting }, { weight: 1, arbitrary: fc.jsonValue() });
}

function bodyFor(schema: Schema | null): fc.Arbitrary<string | null> {
  if (schema === null) return fc.constant(null);
  const fields = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, each]) => [name, valueFor(each)]),
  );
  return fc.oneof(
    { weight: 5, arbitrary: fc.record(fields, { requiredKeys: [] }).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.string() },
    { weight: 1, arbitrary: fc.constant(null) },
  );
}

export function arbitraryRequest(operation: Operation): fc.Arbitrary<Generated> {
  const parameters = operation.parameters.map((parameter) =>
    fc.tuple(
      fc.constant(parameter),
      parameter.in === "path"
        ? textFor(parameter.schema)
        : fc.option(textFor(parameter.schema), { nil: null }),
    )
  );
  return fc.tuple(fc.tuple(...parameters), bodyFor(operation.body)).map(([given, body]) => {
    let path = operation.path;
    const query = new URLSearchParams();
    const headers = new Headers({ host: "127.0.0.1:8000" });
    for (const [{ name, in: where }, value] of given) {
      if (value === null) continue;
      if (where === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
      if (where === "query") query.append(name, value);
      // What HTTP itself cannot carry never arrives.
      if (where === "header" && /^[\x20-\x7e]*$/.test(value)) headers.set(name, value);
    }
    return {
      operation,
      summary: `${operation.method} ${path}?${query} ${body}`,
      toRequest(token: string) {
        headers.set("authorization", `Bearer ${token}`);
        if (body !== null) headers.set("content-type", "application/json");
        return new Request(`http://127.0.0.1:8000${path}?${query}`, {
          method: operation.method.toUpperCase(),
          headers,
          body: operation.method === "post" ? body : undefined,
        });
      },
    };
  });
}

/** Whether the status and the content type of an answer stand in the description. */
export function matchesDescription(operation: Operation, answer: Response, text: string): string {
  const types = operation.answers[String(answer.status)];
  const type = answer.headers.get("content-type")?.split(";")[0] ?? "";
  // An empty or odd value in a path leads past its route, which no description can list.
  if (!types) return answer.status === 404 && operation.path.includes("{") ? "matches" : "undescribed status";
  if (types.length === 0) return "matches";
  if (!types.includes(type)) return `undescribed type ${type}`;
  const body = operation.bodies[String(answer.status)];
  if (!body) return "matches";
  const read = body.safeParse(JSON.parse(text));
  return read.success
    ? "matches"
    : `a body that its schema does not describe: ${z.prettifyError(read.error)}`;
}
