/** What the API says, as schemas with examples. Money is whole micro-dollars, times are ISO 8601 in UTC. */
import { z } from "@hono/zod-openapi";
import { ITEM_STATUSES } from "../budget/ledger/ledger.ts";

const micros = z.number().int().openapi({ description: "Whole micro-dollars", example: 18_200 });
const count = z.number().int().min(0);
const time = z.iso.datetime().openapi({ example: "2026-11-24T02:30:00.000Z" });
const sessionNumber = z.number().int().positive().openapi({ example: 12 });
const STATUSES = [
  "INITIATED",
  "PROCESSING",
  "PAUSED",
  "COMPLETED",
  "PARTIAL",
  "FAILED",
  "CANCELLED",
] as const;

export const sessionSchema = z.object({
  number: sessionNumber,
  status: z.enum(STATUSES),
  reason: z.string().nullable().openapi({
    description: "Why it is paused or ended short",
    example: "budget",
  }),
  provider: z.string(),
  model: z.string().openapi({ example: "gemini-3.1-flash-lite" }),
  simulated: z.boolean().openapi({ description: "True: the money is computed, nobody is paid" }),
  budget: micros,
  spent: micros,
  held: micros.openapi({ description: "Reserved for calls that are out" }),
  unknown: micros.openapi({ description: "Part of spent whose outcome nobody knows" }),
  overrun: micros.openapi({ description: "Billed above holds, outside the budget" }),
  estimated_cost: micros,
  total: count,
  analyzed: count,
  failed: count,
  skipped: count,
  retries: count,
  started_by: z.string().openapi({ example: "operator:cli" }),
  created_at: time,
  started_at: time.nullable(),
  finished_at: time.nullable(),
  resume_at: time.nullable().openapi({ description: "A paused session comes back by itself then" }),
}).openapi("Session");

export const progressSchema = z.object({
  session: sessionSchema,
  done: count.openapi({ description: "Articles with a final state" }),
  processing: count,
  per_minute: z.number().nullable().openapi({
    description: "Analysed articles a minute, over the last minute",
  }),
  eta_ms: z.number().int().nullable(),
  projected: micros.nullable().openapi({ description: "What the session will have cost at today's mean" }),
  next_due_ms: z.number().int().nullable(),
}).openapi("Progress");

export const batchSchema = z.object({
  batch_number: z.number().int().positive(),
  status: z.string(),
  total: count,
  processed: count,
  failed: count,
  skipped: count,
  estimated_cost: micros,
  actual_cost: micros,
  error: z.string().nullable(),
  started_at: time.nullable(),
  finished_at: time.nullable(),
}).openapi("Batch");

export const failureSchema = z.object({
  error_class: z.string().openapi({ example: "off_schema" }),
  example: z.string(),
  articles: count,
  permanent: z.boolean(),
}).openapi("FailureCount");

export const alertSchema = z.object({
  alert_id: z.number().int(),
  session: sessionNumber.nullable(),
  rule: z.string().openapi({ example: "budget_warning" }),
  level: z.enum(["info", "warning", "critical"]),
  text: z.string(),
  lasting: z.boolean(),
  created_at: time,
  acknowledged_at: time.nullable(),
  resolved_at: time.nullable(),
  resolution: z.string().nullable(),
}).openapi("Alert");

export const sessionDetailSchema = progressSchema.extend({
  batches: z.array(batchSchema).openapi({
    description: "At most 100: those at work and next to it. /batches has all of them",
  }),
  batch_count: count,
  failures: z.array(failureSchema),
}).openapi("SessionDetail");

export const itemSchema = z.object({
  position: z.number().int().positive(),
  batch_number: z.number().int().positive(),
  article_id: z.number().int().positive(),
  title: z.string(),
  source: z.string(),
  status: z.enum(ITEM_STATUSES),
  reason: z.string().nullable(),
  attempts: count,
  error_class: z.string().nullable(),
  error: z.string().nullable(),
  permanent: z.boolean(),
  cost: micros,
  sentiment: z.string().nullable(),
  signal_strength: z.number().nullable(),
  updated_at: time,
}).openapi("SessionArticle");

export const eventSchema = z.object({
  event_id: z.number().int(),
  batch_number: z.number().int().nullable(),
  article_id: z.number().int().nullable(),
  call_id: z.number().int().nullable(),
  actor: z.string().openapi({ example: "worker:service-1f2e3d4c" }),
  action: z.string().openapi({ example: "item_analyzed" }),
  from_state: z.string().nullable(),
  to_state: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()).nullable(),
  at: time,
}).openapi("Event");

const costLine = {
  calls: count,
  articles: count,
  spent: micros,
  overrun: micros,
  unknown: micros,
  held: micros,
  input_tokens: count,
  output_tokens: count,
  credits: z.number(),
  simulated: z.boolean(),
};

export const costsSchema = z.object({
  days: z.number().int().positive(),
  total: z.array(z.object(costLine)),
  by_day: z.array(z.object({ day: z.string().openapi({ example: "2026-11-24" }), ...costLine })),
  by_use: z.array(z.object({ provider: z.string(), model: z.string(), kind: z.string(), ...costLine })),
}).openapi("Costs");

export const articlesSchema = z.object({
  total: count,
  counts: z.record(z.string(), count).openapi({ example: { ready: 40, too_short: 3 } }),
  examples: z.record(
    z.string(),
    z.array(z.object({
      id: z.number().int(),
      title: z.string(),
      chars: count,
      language: z.string().nullable(),
      reason: z.string().nullable(),
    })),
  ),
}).openapi("Articles");

export const recoverySchema = z.object({
  session: sessionSchema,
  requeued_failed: count,
  requeued_skipped: count,
  permanent: z.array(z.object({ error_class: z.string(), articles: count, example: z.string() })),
  exhausted: count,
  elsewhere: count,
  without_budget: count,
}).openapi("Recovery");

export const workerSchema = z.object({
  worker_id: z.string(),
  role: z.string().openapi({
    description: "service, worker, web, drain (Deno Deploy), or the command that does the work",
    example: "service",
  }),
  host: z.string().nullable(),
  version: z.string().nullable(),
  under_way: count.openapi({ description: "Articles that it has claimed" }),
  unable: z.array(z.object({ session: sessionNumber, lacks: z.string() })).openapi({
    description: "Live sessions that it leaves to others, and what it lacks to serve them",
  }),
  started_at: time,
  seen_at: time,
}).openapi("Worker");

export const statusSchema = z.object({
  session: progressSchema.nullable().openapi({
    description: "The current session, or the newest; null: none yet",
  }),
  alerts: z.array(alertSchema).openapi({ description: "Open ones" }),
  workers: z.array(workerSchema),
}).openapi("Status");

export const startRequestSchema = z.object({
  limit: z.number().int().min(1).max(1_000_000).optional().openapi({
    description: "Articles at most",
    example: 50,
  }),
  budget_usd: z.union([z.number(), z.string()]).optional().openapi({
    description: "Hard cap in US dollars",
    example: 0.3,
  }),
  model: z.string().min(1).max(200).regex(/^\S+$/).optional(),
  research: z.enum(["off", "top", "all"]).optional(),
}).strict().openapi("StartRequest");

export const recoverRequestSchema = z.object({
  budget_usd: z.union([z.number(), z.string()]).optional().openapi({ description: "The session's new cap" }),
}).strict().openapi("RecoverRequest");
