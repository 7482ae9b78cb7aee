/** Feeds under the service's permissions: their own hosts are open, those that they lead to are told and left out. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import { sentences, serve, type TestServer } from "../articles/collect.ts";
import { dropDatabase, makeDatabase, type TestDatabase } from "../helpers/database.ts";
import { type Ended, endProcesses, environmentOf, serviceArguments, startDeno } from "../helpers/process.ts";

let settings: TestDatabase["settings"];
beforeEach(async () => {
  settings = await makeDatabase();
});
afterEach(async () => {
  await endProcesses();
  await dropDatabase(settings);
});

function feedOf(...links: string[]): Response {
  const items = links.map((link, at) =>
    `<item><title>Post ${at}</title><link>${link}</link><guid>${link}</guid><description>It begins …</description></item>`
  );
  return new Response(`<rss version="2.0"><channel><title>F</title>${items.join("")}</channel></rss>`, {
    headers: { "content-type": "application/rss+xml" },
  });
}

/** A page with an article, anywhere but at /feed and /moved. */
function serveSite(answers: Record<string, () => Response>, hostname?: string): TestServer {
  return serve((request) => {
    const { pathname } = new URL(request.url);
    const page = `<html><body><article><p>${sentences(30, pathname)}</p></article></body></html>`;
    return answers[pathname]?.() ?? new Response(page, { headers: { "content-type": "text/html" } });
  }, hostname);
}

/** Takes in FEEDS in a process that may do what the service may. */
async function takeIn(env: Record<string, string>, command = ["ingest"]): Promise<Ended> {
  const all = { ...environmentOf(settings), PORT: "0", ALLOW_PRIVATE_FEEDS: "yes", ...env };
  const flags = serviceArguments(all).filter((argument) => argument !== "main.ts");
  return await startDeno([...flags, "lib/cli/main.ts", ...command], all).ended;
}

/** Paths of the articles, and whether more than the teaser is stored. */
async function readBodies(): Promise<{ path: string; full: boolean }[]> {
  const { database } = await openDatabase({ ...settings, role: "test", onConnectionError: () => {} });
  const { rows } = await database.query<{ path: string; full: boolean }>(
    "SELECT regexp_replace(url, '.*/', '/') AS path, length(body) > 400 AS full FROM articles ORDER BY path",
  );
  await database.close();
  return rows;
}

/** What takes long says how far it is; how long it takes is the machine's affair. */
const PROGRESS = /^\d+ new, \d+ known, \d+ broken …\n/gm;

it("a page on a host that is not granted leaves its teaser and is told; the other articles go on", async () => {
  await using other = serveSite({}, "127.0.0.2");
  await using site: TestServer = serveSite({
    "/feed": () => feedOf(`${site.url}/own`, `${other.url}/foreign`),
  });
  const feed = `${site.url}/feed`;
  const { code, stdout, stderr } = await takeIn({ FEEDS: feed });
  const host = new URL(other.url).host;
  expect(stderr.replaceAll(PROGRESS, "")).toBe("");
  expect(stdout).toContain(`  only teasers from ${host}: add these hosts to FEED_HOSTS\n`);
  expect(code).toBe(0);
  expect(other.asked).toEqual([]);
  expect(await readBodies()).toEqual([
    { path: "/foreign", full: false },
    { path: "/own", full: true },
  ]);

  const job = await takeIn({ FEEDS: feed, LOG_LEVEL: "warn" }, ["run", "ingest_feeds"]);
  expect(JSON.parse(job.stderr.trim())).toMatchObject({ level: "warn", feed, hosts: [host] });
  expect(job.code).toBe(0);

  expect((await takeIn({ FEEDS: feed, FEED_HOSTS: host })).stdout).not.toContain("FEED_HOSTS");
  expect(other.asked).toEqual(["/foreign"]);
  expect((await readBodies()).every(({ full }) => full)).toBe(true);
});

it("a feed that moved to a host that is not granted fails in one line that names it", async () => {
  await using other = serveSite({ "/feed": () => feedOf() }, "127.0.0.2");
  await using site = serveSite({ "/moved": () => Response.redirect(`${other.url}/feed`, 301) });
  const { code, stderr } = await takeIn({ FEEDS: `${site.url}/moved` });
  const host = new URL(other.url).host;
  expect(stderr).toBe(
    `Cannot fetch ${site.url}/moved: wanted the permission to reach ${host}, got none; ` +
      `add ${host} to FEED_HOSTS and start again.\n`,
  );
  expect(code).toBe(1);
  expect(other.asked).toEqual([]);
});

it("a name is looked up and checked with the permission for the name alone", async () => {
  await using site: TestServer = serveSite({
    "/feed": () => feedOf(`${site.url.replace("127.0.0.1", "localhost")}/own`),
  });
  const feed = `${site.url}/feed`.replace("127.0.0.1", "localhost");
  expect((await takeIn({ FEEDS: feed })).stdout).toMatch(/1 new, 0 known/);
  expect(site.asked).toEqual(["/feed", "/own"]);
  const { code, stderr } = await takeIn({ FEEDS: feed, ALLOW_PRIVATE_FEEDS: "no" });
  expect(stderr).toMatch(/wanted a public address, got a private one/);
  expect(code).toBe(1);
  expect(site.asked).toHaveLength(2);
});
