/**
 * Starting and steering sessions. Every route needs the token, which the app asks for; a repeated start with one key
 * starts one session.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { createHash } from "node:crypto";
import type { WebDeps } from "../deps.ts";
import { presentRecovery, presentSession } from "../present.ts";
import { recoverRequestSchema, recoverySchema, sessionSchema, startRequestSchema } from "../schemas.ts";
import {
  answers,
  type Api,
  BAD_REQUEST,
  CHANGING,
  COMMON,
  NOT_FOUND,
  numberParam,
  readBudget,
  REUSED_KEY,
  WITH_BODY,
} from "./responses.ts";

/** Who the audit trail names. */
const ACTOR = "operator:http";

const SECURITY = [{ token: [] }];

const start = createRoute({
  method: "post",
  path: "/api/sessions",
  tags: ["Steering"],
  summary: "Start a session",
  description:
    "Spends money, up to the budget. Give an Idempotency-Key: repeated with the same one and the same body, it " +
    "answers with the session that the first request started.",
  security: SECURITY,
  request: {
    headers: z.object({
      "idempotency-key": z.string().min(1).max(200).optional().openapi({ example: "nightly-2026-11-24" }),
    }),
    body: { content: { "application/json": { schema: startRequestSchema } }, required: false },
  },
  responses: {
    200: answers(sessionSchema, "The session that this Idempotency-Key has started before"),
    201: answers(sessionSchema, "The session"),
    ...BAD_REQUEST,
    ...CHANGING,
    ...REUSED_KEY,
    ...WITH_BODY,
    ...COMMON,
  },
});

function steer(verb: "pause" | "resume" | "cancel", summary: string) {
  return createRoute({
    method: "post",
    path: `/api/sessions/{n}/${verb}`,
    tags: ["Steering"],
    summary,
    security: SECURITY,
    request: { params: numberParam },
    responses: {
      200: answers(sessionSchema, "The session as it is now"),
      ...BAD_REQUEST,
      ...CHANGING,
      ...NOT_FOUND,
      ...WITH_BODY,
      ...COMMON,
    },
  });
}

const recover = createRoute({
  method: "post",
  path: "/api/sessions/{n}/recover",
  tags: ["Steering"],
  summary: "Give failed articles new attempts, and skipped ones a larger budget",
  security: SECURITY,
  request: {
    params: numberParam,
    body: { content: { "application/json": { schema: recoverRequestSchema } }, required: false },
  },
  responses: {
    200: answers(recoverySchema, "What was queued again and what was left alone"),
    ...BAD_REQUEST,
    ...CHANGING,
    ...NOT_FOUND,
    ...WITH_BODY,
    ...COMMON,
  },
});

export function addSteeringRoutes(api: Api, { desk, wake }: WebDeps): void {
  api.openapi(start, async (c) => {
    const { budget_usd, ...request } = c.req.valid("json") ?? {};
    const budget = readBudget(budget_usd);
    const key = c.req.valid("header")["idempotency-key"];
    const hash = hashRequest([request.limit, budget, request.model, request.research]);
    const session = await desk.start({ ...request, budget }, ACTOR, {
      ...(key && { key: `http:${key}` }),
      hash,
    });
    c.header("location", `/api/sessions/${session.number}`);
    if (session.repeated) return c.json(presentSession(session), 200);
    await wake(session);
    return c.json(presentSession(session), 201);
  });
  api.openapi(steer("pause", "Start nothing new; what is under way finishes"), async (c) => {
    return c.json(presentSession(await desk.pause(c.req.valid("param").n, ACTOR)), 200);
  });
  api.openapi(steer("resume", "Go on with a paused session"), async (c) => {
    const session = await desk.resume(c.req.valid("param").n, ACTOR);
    await wake(session);
    return c.json(presentSession(session), 200);
  });
  api.openapi(steer("cancel", "End a session; its waiting articles are skipped"), async (c) => {
    return c.json(presentSession(await desk.cancel(c.req.valid("param").n, ACTOR)), 200);
  });
  api.openapi(recover, async (c) => {
    const { budget_usd } = c.req.valid("json") ?? {};
    const report = await desk.recover(c.req.valid("param").n, readBudget(budget_usd) ?? null, ACTOR);
    await wake(report.session);
    return c.json(presentRecovery(report), 200);
  });
}

/** The same for whatever means the same: 0.3 and "0.30" dollars are one amount. */
function hashRequest(parts: readonly (string | number | undefined)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
