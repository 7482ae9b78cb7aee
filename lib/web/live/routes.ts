/** The live stream of a session over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import { makeProblem } from "../problem.ts";
import { type Api, BAD_REQUEST, COMMON, NOT_FOUND, numberParam } from "../api/responses.ts";
import type { LiveStreams } from "./stream.ts";

const live = createRoute({
  method: "get",
  path: "/api/sessions/{n}/events",
  tags: ["Sessions"],
  summary: "What happens in a session, live (server-sent events)",
  description:
    "Events named `progress` (a Progress), `event` (an Event of the audit trail, with its id), `alerts` " +
    "(the open Alerts of the session and of the desk as a whole) and `reset` (too much was missed: load anew). A client that comes back with " +
    "Last-Event-ID gets what it missed.",
  request: {
    params: numberParam,
    query: z.object({
      events: z.enum(["all", "moves"]).default("all").openapi({
        description: "moves: only those of the session and its batches, not of single articles",
      }),
    }),
    headers: z.object({
      "last-event-id": z.string().regex(/^\d{1,15}$/).optional().openapi({ example: "1200" }),
    }),
  },
  responses: {
    200: { description: "The stream", content: { "text/event-stream": { schema: z.string() } } },
    ...BAD_REQUEST,
    ...NOT_FOUND,
    ...COMMON,
  },
});

export function addLiveRoutes(api: Api, streams: LiveStreams): void {
  api.openapi(live, async (c) => {
    if (streams.full) return makeProblem(503, "Too many live streams are open; try again later");
    const last = c.req.valid("header")["last-event-id"];
    const topic = {
      number: c.req.valid("param").n,
      withoutArticles: c.req.valid("query").events === "moves",
    };
    const headers = {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    };
    if (c.req.method === "HEAD") {
      await streams.find(topic);
      return c.body(null, 200, headers);
    }
    const body = await streams.open(topic, last ? Number(last) : null, c.get("deadline"));
    return body === null ? makeProblem(504, "No answer in time") : c.body(body, 200, headers);
  });
}
