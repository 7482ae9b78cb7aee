/** Finds the failure row of a search answer that is not HTTP 200. */
import { z } from "zod";
import { readRetryAfter } from "../../http/retry_after.ts";
import type { Finding } from "../failures.ts";

/** `{detail: {error: "…"}}`, or a bare detail for a refused field. */
const errorSchema = z.object({
  detail: z.union([z.object({ error: z.string() }).transform((detail) => detail.error), z.string()]),
});

const BY_STATUS: Readonly<Record<number, Finding<"tavily">["failure"]>> = {
  401: "key_refused",
  403: "key_refused",
  404: "not_found",
  429: "rate_limited",
  432: "plan_limit",
  433: "payg_limit",
};

/** The status alone decides; the body only says more to a person. */
export function classifyStatus(status: number, headers: Headers, body: string): Finding<"tavily"> {
  const waitMs = readRetryAfter(headers);
  return {
    failure: BY_STATUS[status] ?? classifyRange(status),
    detail: readDetail(body) || `HTTP ${status}`,
    ...(waitMs !== undefined && { waitMs }),
  };
}

function classifyRange(status: number): Finding<"tavily">["failure"] {
  if (status >= 300 && status < 400) return "redirected";
  if (status >= 400 && status < 500) return "bad_request";
  return status >= 500 && status < 600 ? "provider_error" : "unexpected_status";
}

function readDetail(body: string): string {
  try {
    const parsed = errorSchema.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data.detail : "";
  } catch {
    return "";
  }
}
