/** The description of the API for machines, and a page of it for people. */
import type { Api } from "./responses.ts";

export const INFO = {
  title: "Nightdesk",
  version: "1",
  description: "Analyses newsletter articles in batches under a hard budget. Money is whole micro-dollars " +
    "(1,000,000 are one US dollar), times are ISO 8601 in UTC. Errors are problem+json with one line in `detail`.",
};

export function addReference(app: Api): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "token", { type: "http", scheme: "bearer" });
  app.doc31("/openapi.json", { openapi: "3.1.0", info: INFO });
}
