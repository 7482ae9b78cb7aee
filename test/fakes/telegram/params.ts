/** Parameters of a call as Telegram takes them: query, JSON, form or multipart; every value also as text. */
import type { ReceivedRequest } from "../receive_request.ts";
import { badRequest } from "./api_error.ts";

export interface Upload {
  name: string;
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

export class Params {
  constructor(
    readonly values: Readonly<Record<string, unknown>>,
    readonly uploads: ReadonlyMap<string, Upload> = new Map(),
  ) {}

  text(name: string): string | null {
    const value = this.values[name];
    return value === undefined || value === null ? null : String(value);
  }

  /** Throws 400 for anything but a whole number. */
  whole(name: string): number | null {
    const text = this.text(name);
    if (text === null || text === "") return null;
    if (!/^-?\d+$/.test(text)) throw badRequest(`invalid ${name} specified`);
    return Number(text);
  }

  flag(name: string): boolean {
    return ["true", "1", "yes"].includes(this.text(name)?.toLowerCase() ?? "");
  }

  /** A value that is JSON, or JSON in a text. Throws 400 for a text that is none. */
  json(name: string): unknown {
    const value = this.values[name];
    if (typeof value !== "string") return value ?? null;
    try {
      return JSON.parse(value);
    } catch {
      throw badRequest(`can't parse ${name.replaceAll("_", " ")} JSON object`);
    }
  }

  /** A file: sent along under its own name or as `attach://name`; a text is the id of a file sent before. */
  file(name: string): Upload | string | null {
    const text = this.text(name);
    const attached = text?.startsWith("attach://") ? text.slice("attach://".length) : name;
    return this.uploads.get(attached) ?? text;
  }
}

export async function readParams(request: ReceivedRequest, query: URLSearchParams): Promise<Params> {
  const type = request.headers.get("content-type") ?? "";
  const values: Record<string, unknown> = Object.fromEntries(query);
  if (request.bytes.length === 0) return new Params(values);
  if (type.startsWith("application/json")) {
    return new Params({ ...values, ...readJsonBody(request.body) });
  }
  const uploads = new Map<string, Upload>();
  const form = await new Response(new Uint8Array(request.bytes), { headers: { "content-type": type } })
    .formData();
  for (const [name, value] of form) {
    if (typeof value === "string") values[name] = value;
    else {
      uploads.set(name, {
        name: value.name,
        type: value.type,
        bytes: new Uint8Array(await value.arrayBuffer()),
      });
    }
  }
  return new Params(values, uploads);
}

function readJsonBody(body: string): Record<string, unknown> {
  try {
    return JSON.parse(body);
  } catch {
    throw badRequest("can't parse request JSON object");
  }
}
