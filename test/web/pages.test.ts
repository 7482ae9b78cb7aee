import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { raiseAlert } from "../../lib/alerts/raise.ts";
import type { Session } from "../../lib/batches/types.ts";
import { settleCalls } from "../../lib/budget/ledger/settle_calls.ts";
import { micros } from "../../lib/money.ts";
import { PLAIN_ANALYSIS } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { analyzed, unsentOutcome } from "../../lib/batches/worker/outcomes.ts";
import { addWork, analyse, claim, fail } from "../batches/work_session.ts";
import { BROWSER, type Visit, visit } from "./browser.ts";

const test = useTestDatabase();
let desk: Visit;
let session: Session;

/** What a feed or a model may send: markup, a script, a way out of an attribute, and an address that runs. */
const PAYLOAD = `<script>alert("owned")</script><img src=x onerror=alert(1)>"><b onmouseover='alert(2)'>&lt;`;

beforeEach(async () => {
  if (!BROWSER) return;
  session = await addWork(test.db, 8);
  const claimed = await claim(test.db, session.session_id, 4);
  await analyse(test.db, session.session_id, claimed.slice(0, 3));
  await fail(test.db, session.session_id, claimed.slice(3), "give_up");
});
beforeAll(async () => {
  if (BROWSER) desk = await visit(test.db);
});
afterEach(() => desk?.leave());
afterAll(() => desk?.close());

const PLACES = ["/", "/sessions/1", "/articles", "/articles/1", "/costs", "/alerts", "/system", "/reference"];

async function findFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>("axe.run()");
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ").slice(0, 300)}`);
}

describe.skipIf(!BROWSER)("the pages, in a real browser", () => {
  it("show the session at work and follow it without being loaded again", async () => {
    const page = await desk.open("/sessions/1");
    await expect.poll(() => page.textContent("#progress")).toMatch(/4 of 8/);
    expect(await page.textContent("#failures")).toContain("blocked");
    await page.evaluate("globalThis.kept = true");
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 4));
    await expect.poll(() => page.textContent("#progress"), { timeout: 60_000 }).toMatch(/8 of 8/);
    expect(await page.title()).toMatch(/^Session 1/);
    expect(await page.evaluate("globalThis.kept")).toBe(true);
    expect(desk.complaints).toEqual([]);
  });

  it.each(PLACES)(
    "have no serious fault for people with a screen reader at %s, light and dark",
    async (path) => {
      for (const dark of [false, true]) {
        const page = await desk.open(path, { dark });
        expect(await findFaults(page)).toEqual([]);
        expect(await page.locator("h1").count()).toBe(1);
      }
      expect(desk.complaints).toEqual([]);
    },
  );

  it.each(PLACES)("fit a phone at %s: nothing but tables scrolls sideways", async (path) => {
    const page = await desk.open(path, { width: 360 });
    const [wide, screen] = await page.evaluate<[number, number]>(
      "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
    );
    expect(wide).toBeLessThanOrEqual(screen);
  });

  it("are whole without script: the list leads to the session, and that to its articles", async () => {
    const page = await desk.open("/", { script: false });
    await page.click('main a[href="/sessions/1"]');
    expect(await page.textContent("h1")).toBe("Session 1");
    expect(await page.locator("svg[role=img]").count()).toBeGreaterThanOrEqual(3);
    await page.click('a[href="/sessions/1?status=FAILED#articles"]');
    expect(await page.locator("#article-list tbody tr").count()).toBe(1);
    await page.click("#article-list tbody a");
    expect(page.url()).toMatch(/\/articles\/\d+$/);
  });

  it("are dark for who likes it dark, charts too", async () => {
    const colours = async (dark: boolean) => {
      const page = await desk.open("/sessions/1", { dark });
      return await page.evaluate<{ page: string; chart: string }>(`({
        page: getComputedStyle(document.body).backgroundColor,
        chart: getComputedStyle(document.querySelector("figure svg rect")).fill,
      })`);
    };
    const [light, dark] = [await colours(false), await colours(true)];
    expect(light.page).toBe("rgb(255, 255, 255)");
    expect(dark.page).toBe("rgb(20, 23, 28)");
    expect([light.chart, dark.chart]).toEqual(["rgb(255, 255, 255)", "rgb(20, 23, 28)"]);
  });

  it("can be used by keyboard alone: the first stop skips to the content", async () => {
    const page = await desk.open("/");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(page.url()).toMatch(/#content$/);
  });

  it("mark the evidence where it stands in the article, and show what the article cost", async () => {
    const [item] = await claim(test.db, session.session_id, 1);
    const quote = "relay transactions quickly";
    await settleWith(item, [quote], "Relay is quick");
    const page = await desk.open(`/articles/${item.article_id}`);
    expect(await page.locator(".text mark").first().textContent()).toBe(quote);
    expect(await page.locator(".text mark").count()).toBe(1);
    expect(await page.textContent("table")).toContain("SETTLED");
  });

  it("show what a hostile article says as text, everywhere, and nothing of it runs", async () => {
    const [item] = await claim(test.db, session.session_id, 1);
    await test.db.query(
      "UPDATE articles SET title = $2, body = $3, url = 'javascript:alert(3)', source = $2 WHERE id = $1",
      [
        item.article_id,
        PAYLOAD,
        `Before. ${PAYLOAD} After.`,
      ],
    );
    await settleWith(item, [PAYLOAD], PAYLOAD);
    await raiseAlert(test.db, {
      rule: "failure_rate",
      level: "warning",
      sessionId: session.session_id,
      text: PAYLOAD,
      detail: {},
    });
    for (
      const path of ["/", "/sessions/1", "/articles", `/articles/${item.article_id}`, "/alerts", "/costs"]
    ) {
      const page = await desk.open(path);
      const owned = page.locator("main script, main img, main b, main [onmouseover], a[href^='javascript']");
      expect(await owned.count(), path).toBe(0);
    }
    const page = await desk.open(`/articles/${item.article_id}`);
    expect(await page.textContent("h1")).toBe(PAYLOAD);
    expect(await page.locator(".text mark").first().textContent()).toBe(PAYLOAD);
    expect(desk.complaints).toEqual([]);
  });
});

async function settleWith(
  item: Awaited<ReturnType<typeof claim>>[number],
  evidence: string[],
  text: string,
): Promise<void> {
  const { verdicts } = await settleCalls(test.db, session.session_id, [{
    outcome_id: crypto.randomUUID(),
    item_id: item.item_id,
    lease_token: item.lease_token,
    call: {
      ...unsentOutcome(item.call_id, ""),
      state: "SETTLED",
      bill: micros(100),
      failure: null,
      detail: null,
    },
    item: analyzed(),
    analysis: {
      ...PLAIN_ANALYSIS,
      summary: text,
      topics: [text],
      entities: [{ name: text, type: "OTHER" }],
      weak_signals: [{
        type: text,
        description: text,
        confidence: 0.5,
        implications: text,
        evidence,
        timeframe: "SHORT_TERM",
      }],
      pattern_anomalies: [text],
      research: {
        status: "INCONCLUSIVE",
        reason: text,
        queries: [text],
        sources: [{
          title: text,
          url: "javascript:alert(4)",
          published_at: null,
          excerpt: text,
          score: null,
        }],
      },
    },
    research: null,
  }], "test");
  expect([...verdicts.values()]).toEqual(["applied"]);
}
