/** Pages that stay open on a second screen, in a real browser. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { cancelSession } from "../../lib/batches/change_session.ts";
import { addWork, analyse, claim } from "../batches/work_session.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { BROWSER, type Visit, visit } from "./browser.ts";

const test = useTestDatabase();
let desk: Visit;

beforeAll(async () => {
  if (BROWSER) desk = await visit(test.db);
});
afterEach(() => desk?.leave());
afterAll(() => desk?.close());

/** Remembers the live streams of the page. */
const COUNT_STREAMS = `
  globalThis.streams = [];
  globalThis.EventSource = class extends EventSource {
    constructor(address) { super(address); streams.push(this); }
  };`;
const openStreams = (page: Page) =>
  page.evaluate<string[]>(
    "streams.filter(({ readyState }) => readyState === 1).map(({ url }) => new URL(url).pathname)",
  );

/** What the page says after some of its time. */
async function textLater(page: Page, part: string): Promise<string> {
  await page.clock.fastForward(12_000);
  return await page.textContent(part) ?? "";
}

describe.skipIf(!BROWSER)("a page that stays open", () => {
  it("follows a session that starts later, and the one after it, without being loaded again", async () => {
    const page = await desk.open("/", { clock: true, before: COUNT_STREAMS });
    await page.evaluate("globalThis.kept = true");
    expect(await page.textContent("#current")).toBe("");
    for (const number of [1, 2]) {
      const { session_id } = await addWork(test.db, 4);
      await expect.poll(() => textLater(page, "#current"), { timeout: 60_000 }).toContain(
        `Session ${number} is at work`,
      );
      await expect.poll(() => openStreams(page)).toEqual([`/api/sessions/${number}/events`]);
      expect(await page.textContent("[role=status]")).toBe(`Session ${number} is processing, 0 % done`);
      await analyse(test.db, session_id, await claim(test.db, session_id, 2));
      await expect.poll(() => textLater(page, "#current"), { timeout: 60_000 }).toContain("2 of 4");
      await cancelSession(test.db, session_id, "test");
      await expect.poll(() => textLater(page, "#current"), { timeout: 60_000 }).toBe("");
      await expect.poll(() => openStreams(page)).toEqual([]);
    }
    expect(await page.evaluate("globalThis.kept")).toBe(true);
    expect(desk.complaints).toEqual([]);
  });

  it("opens its stream again when the service refused it for a while", async () => {
    const { session_id } = await addWork(test.db, 4);
    const page = await desk.open("/articles", { clock: true });
    let refused = 0;
    await page.route("**/events?**", (route) => {
      if (refused === 2) return route.continue();
      refused++;
      return route.fulfill({ status: 503, body: "full" });
    });
    await page.goto(`${desk.url}/sessions/1`);
    const streamed = page.waitForResponse((answer) => /events/.test(answer.url()) && answer.ok());
    await analyse(test.db, session_id, await claim(test.db, session_id, 1));
    await expect.poll(() => textLater(page, "#progress"), { timeout: 60_000 }).toMatch(/1 of 4/);
    await expect.poll(async () => {
      await page.clock.fastForward(5_000);
      return refused;
    }).toBe(2);
    await page.clock.fastForward(5_000);
    await streamed;
  });

  it("has no stream while it is hidden, so that many tabs do not use up the connections of a browser", async () => {
    await addWork(test.db, 4);
    const page = await desk.open("/", { before: COUNT_STREAMS });
    await expect.poll(() => openStreams(page)).toHaveLength(1);
    const hide = (hidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));`);
    await hide(true);
    expect(await openStreams(page)).toEqual([]);
    await hide(false);
    await expect.poll(() => openStreams(page)).toHaveLength(1);
  });

  it("leaves the reader where they stand when it changes: the focus, and how far a table is scrolled", async () => {
    const { session_id } = await addWork(test.db, 4);
    const page = await desk.open("/sessions/1", { width: 360, clock: true });
    await page.focus("#batches .scroll");
    await page.evaluate("document.querySelector('#batches .scroll').scrollLeft = 60");
    await analyse(test.db, session_id, await claim(test.db, session_id, 2));
    await expect.poll(() => textLater(page, "#batches"), { timeout: 60_000 }).toContain("COMPLETED");
    expect(await page.evaluate("document.activeElement.closest('[data-live]')?.id")).toBe("batches");
    expect(await page.evaluate("document.querySelector('#batches .scroll').scrollLeft")).toBe(60);
  });
});
