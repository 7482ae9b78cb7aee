import { Validator } from "@seriousme/openapi-schema-validator";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { addWork, analyse, claim } from "../batches/work_session.ts";
import { arbitraryRequest, listOperations, matchesDescription } from "./generate_requests.ts";
import { makeWeb, readJson, type TestWeb, TOKEN } from "./web_app.ts";

const test = useTestDatabase();
let web: TestWeb;

beforeEach(async () => {
  web = makeWeb(test.db);
  const session = await addWork(test.db, 3);
  await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 2));
  await addArticles(test.db, 3);
});

describe("the description of the API", () => {
  it("is valid OpenAPI 3.1, and every route of it has an answer for a person in the reference", async () => {
    const description = await readJson(await web.get("/openapi.json"));
    expect(await new Validator().validate(description)).toMatchObject({ valid: true });
    expect(description.openapi).toBe("3.1.0");
    const page = await (await web.get("/reference")).text();
    for (const { method, path } of listOperations(description)) {
      expect(page).toContain(`${method.toUpperCase()} ${path}`);
    }
  });

  it("names every route that DESIGN promises", async () => {
    const paths = listOperations(await readJson(await web.get("/openapi.json"))).map(({ method, path }) =>
      `${method} ${path}`
    );
    expect(paths).toEqual(expect.arrayContaining([
      "get /api/status",
      "get /api/sessions",
      "get /api/sessions/{n}",
      "get /api/sessions/{n}/events",
      "get /api/articles",
      "get /api/costs",
      "post /api/sessions",
      ...["pause", "resume", "cancel", "recover"].map((verb) => `post /api/sessions/{n}/${verb}`),
      "get /livez",
      "get /readyz",
      "get /healthz",
    ]));
  });

  it("is kept by the answers to generated requests, right and wrong ones, and none of them is a 5xx", async () => {
    const description = await readJson(await web.get("/openapi.json"));
    // A live stream does not end by itself; its own tests read it.
    const operations = listOperations(description).filter(({ path }) => !path.endsWith("/events"));
    let asked = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...operations).chain(arbitraryRequest), async (generated) => {
        const answer = await web.request(generated.toRequest(TOKEN));
        const text = await answer.text();
        asked++;
        expect(answer.status, `${generated.summary}: ${text}`).toBeLessThan(500);
        expect(
          matchesDescription(generated.operation, answer, text),
          `${generated.summary}: ${answer.status} ${text}`,
        )
          .toBe("matches");
      }),
      { numRuns: 400 },
    );
    expect(asked).toBeGreaterThanOrEqual(400);
    expect(web.lines.filter(({ level }) => level === "error")).toEqual([]);
  });
});
