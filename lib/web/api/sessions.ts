/** Reading sessions: the list, one of them, its articles and its trail. */
import { createRoute, z } from "@hono/zod-openapi";
import { ITEM_STATUSES } from "../../budget/ledger/ledger.ts";
import type { WebDeps } from "../deps.ts";
import { presentBatch, presentProgress, presentSession } from "../present.ts";
import { batchSchema, eventSchema, itemSchema, sessionDetailSchema, sessionSchema } from "../schemas.ts";
import {
  answers,
  type Api,
  BAD_REQUEST,
  COMMON,
  cursorQuery,
  limitQuery,
  MOST_NUMBER,
  NOT_FOUND,
  numberParam,
} from "./responses.ts";

const list = createRoute({
  method: "get",
  path: "/api/sessions",
  tags: ["Sessions"],
  summary: "Sessions, newest first",
  request: {
    query: z.object({
      limit: limitQuery(20, 200),
      before: z.coerce.number().int().min(1).max(MOST_NUMBER).optional().openapi({
        type: "integer",
        description: "Only sessions with a smaller number: `next` of the page before",
      }),
    }),
  },
  responses: {
    200: answers(
      z.object({
        sessions: z.array(sessionSchema),
        next: z.number().int().nullable().openapi({
          description: "`before` of the next page; null: no more",
        }),
      }),
      "A page of sessions",
    ),
    ...BAD_REQUEST,
    ...COMMON,
  },
});

const one = createRoute({
  method: "get",
  path: "/api/sessions/{n}",
  tags: ["Sessions"],
  summary: "A session with progress, batches and failures",
  request: { params: numberParam },
  responses: {
    200: answers(sessionDetailSchema, "The session"),
    304: { description: "Not changed since the ETag that was given" },
    ...BAD_REQUEST,
    ...NOT_FOUND,
    ...COMMON,
  },
});

const batches = createRoute({
  method: "get",
  path: "/api/sessions/{n}/batches",
  tags: ["Sessions"],
  summary: "The batches of a session in their order",
  request: {
    params: numberParam,
    query: z.object({
      limit: limitQuery(100, 1_000),
      after: cursorQuery("Number of the batch after which the page begins: `next` of the page before"),
    }),
  },
  responses: {
    200: answers(
      z.object({ batches: z.array(batchSchema), next: z.number().int().nullable() }),
      "A page of batches",
    ),
    ...BAD_REQUEST,
    ...NOT_FOUND,
    ...COMMON,
  },
});

const items = createRoute({
  method: "get",
  path: "/api/sessions/{n}/articles",
  tags: ["Sessions"],
  summary: "The articles of a session in the order of work",
  request: {
    params: numberParam,
    query: z.object({
      limit: limitQuery(50, 500),
      after: cursorQuery("Position after which the page begins: `next` of the page before"),
      status: z.enum(ITEM_STATUSES).optional(),
    }),
  },
  responses: {
    200: answers(
      z.object({ articles: z.array(itemSchema), next: z.number().int().nullable() }),
      "A page of articles",
    ),
    ...BAD_REQUEST,
    ...NOT_FOUND,
    ...COMMON,
  },
});

const trail = createRoute({
  method: "get",
  path: "/api/sessions/{n}/trail",
  tags: ["Sessions"],
  summary: "The audit trail of a session",
  description: "With `after` oldest first: what is new. Without it newest first; go back with `before`.",
  request: {
    params: numberParam,
    query: z.object({
      limit: limitQuery(100, 1_000),
      after: cursorQuery("Only events after this id"),
      before: cursorQuery("Only events before this id"),
    }),
  },
  responses: {
    200: answers(
      z.object({ events: z.array(eventSchema), next: z.number().int().nullable() }),
      "A page of events; `next` is the `after` or `before` of the next one",
    ),
    ...BAD_REQUEST,
    ...NOT_FOUND,
    ...COMMON,
  },
});

export function addSessionRoutes(api: Api, { desk }: WebDeps): void {
  api.openapi(list, async (c) => {
    const { limit, before } = c.req.valid("query");
    const found = await desk.sessions(limit + 1, before);
    const page = found.slice(0, limit);
    const next = found.length > limit ? page[page.length - 1].number : null;
    return c.json({ sessions: page.map(presentSession), next }, 200);
  });
  api.openapi(one, async (c) => {
    const detail = await desk.session(c.req.valid("param").n);
    return c.json({
      ...presentProgress(detail),
      batches: detail.batches.map(presentBatch),
      batch_count: detail.batch_count,
      failures: detail.failures,
    }, 200);
  });
  api.openapi(batches, async (c) => {
    const { limit, after = 0 } = c.req.valid("query");
    // Numbers of batches are 32 bits; a cursor past them is past the end.
    const found = after > MOST_NUMBER
      ? []
      : await desk.batches(c.req.valid("param").n, { limit: limit + 1, after });
    const page = found.slice(0, limit);
    const next = found.length > limit ? page[page.length - 1].batch_number : null;
    return c.json({ batches: page.map(presentBatch), next }, 200);
  });
  api.openapi(items, async (c) => {
    const { limit, after = 0, status } = c.req.valid("query");
    // Positions are 32 bits; a cursor past them is past the end.
    const found = after > MOST_NUMBER
      ? []
      : await desk.items(c.req.valid("param").n, { limit: limit + 1, after, status });
    const page = found.slice(0, limit);
    const next = found.length > limit ? page[page.length - 1].position : null;
    const articles = page.map(({ recoveries: _, ...item }) => ({
      ...item,
      updated_at: item.updated_at.toISOString(),
    }));
    return c.json({ articles, next }, 200);
  });
  api.openapi(trail, async (c) => {
    const { limit, after, before } = c.req.valid("query");
    const found = await desk.events(c.req.valid("param").n, { limit: limit + 1, after, before });
    const page = found.slice(0, limit);
    const next = found.length > limit ? page[page.length - 1].event_id : null;
    return c.json({ events: page.map((event) => ({ ...event, at: event.at.toISOString() })), next }, 200);
  });
}
