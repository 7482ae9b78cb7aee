import { describe, expect, it } from "vitest";
import { createOfflineAnalyst } from "../../lib/analysis/offline/analyst.ts";
import type { Analyst, Researcher } from "../../lib/analysis/port.ts";
import type { ReadyArticle } from "../../lib/articles/identifier.ts";
import { estimateSession } from "../../lib/budget/estimate.ts";
import type { ModelPrice } from "../../lib/budget/prices.ts";
import { readConfig } from "../../lib/config.ts";
import { createDesk } from "../../lib/desk.ts";
import { micros } from "../../lib/money.ts";
import { analyse, claim } from "../batches/work_session.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";

const test = useTestDatabase();

const MODEL = "gemini-3.1-flash-lite";
/** A micro-dollar a token, so that bounds and costs are the same numbers. */
const price: ModelPrice = {
  model: MODEL,
  perMillion: { input: 1, output: 1 },
  source: "set by hand",
  cost: ({ inputTokens, outputTokens }) => micros(inputTokens + outputTokens),
};
/** Bounded by the bytes and a hundred tokens of answer; sends nothing. */
const analyst: Analyst = {
  ...createOfflineAnalyst({ model: MODEL }),
  simulated: false,
  bound: (bytes) => ({ inputTokens: bytes, outputTokens: 100 }),
  validationBound: () => ({ inputTokens: 40, outputTokens: 10 }),
};

const researcher: Researcher = {
  provider: "tavily",
  simulated: false,
  boundCredits: 2,
  creditPrice: micros(8_000),
  search: () => Promise.reject(new Error("an estimate searches for nothing")),
};

function article(id: number, bytes: number): ReadyArticle {
  return { id, text_bytes: bytes };
}

function estimate(bytes: number[], change: Partial<Parameters<typeof estimateSession>[1]> = {}) {
  const articles = bytes.map((size, index) => article(index + 1, size));
  return estimateSession(test.db, {
    articles,
    analyst,
    price,
    researcher: null,
    researchMode: "off",
    budget: null,
    ...change,
  });
}

/** Analyses `count` articles of a session of this model for 100 micro-dollars each. */
async function gainExperience(count: number, simulated = false): Promise<void> {
  const { session_id } = await addSession(test.db, {
    articles: await addArticles(test.db, count, 40),
    budget: micros(1_000_000),
    simulated,
  });
  await analyse(test.db, session_id, await claim(test.db, session_id, count));
  await test.db.query("UPDATE batch_processing_sessions SET status = 'COMPLETED'");
}

describe("an estimate", () => {
  it("begins with the first guess of 1,300 micro-dollars an article", async () => {
    expect(await estimate([500, 500])).toMatchObject({
      articles: 2,
      expectedPerArticle: 1_300,
      expected: 2_600,
      learntFrom: 0,
    });
  });

  it("moves to what articles of the model really cost, the more of them the further", async () => {
    await gainExperience(10);
    expect(await estimate([500])).toMatchObject({ expectedPerArticle: 700, learntFrom: 10 });
    await gainExperience(90);
    expect(await estimate([500])).toMatchObject({ expectedPerArticle: 209, learntFrom: 100 });
  });

  it("learns nothing about money from simulated charges, nor from another model", async () => {
    await gainExperience(10, true);
    expect(await estimate([500])).toMatchObject({ expectedPerArticle: 1_300, learntFrom: 0 });
    await gainExperience(10);
    const other = { ...analyst, model: "gemini-3.8-flash" };
    expect(await estimate([500], { analyst: other })).toMatchObject({
      expectedPerArticle: 1_300,
      learntFrom: 0,
    });
  });

  it("has a worst case from each article's own size, and with research its searches and verdicts", async () => {
    expect(await estimate([500, 1_500])).toMatchObject({ worstCases: [600, 1_600], worst: 2_200 });
    const { worst } = await estimate([500, 1_500], { researcher, researchMode: "top" });
    expect(worst).toBe(2_200 + 2 * (16_000 + 50));
  });

  it("expects research to cost more the more articles earn a search", async () => {
    const [off, top, all] = await Promise.all([
      estimate([500]),
      estimate([500], { researcher, researchMode: "top" }),
      estimate([500], { researcher, researchMode: "all" }),
    ]);
    expect(off.expectedPerArticle).toBe(1_300);
    expect(top.expectedPerArticle).toBeGreaterThan(off.expectedPerArticle);
    expect(all.expectedPerArticle).toBeGreaterThan(1_300 + 16_000);
    expect(top.expectedPerArticle).toBeLessThan(all.expectedPerArticle);
  });

  it("says how many articles the budget covers at the expected cost", async () => {
    expect((await estimate([500, 500, 500])).affordable).toBeNull();
    expect((await estimate([500, 500, 500], { budget: micros(2_600) })).affordable).toBe(2);
    expect((await estimate([500, 500, 500], { budget: micros(2_599) })).affordable).toBe(1);
    expect((await estimate([500, 500, 500], { budget: micros(900_000) })).affordable).toBe(3);
  });

  it("of no article costs nothing", async () => {
    expect(await estimate([])).toMatchObject({ articles: 0, expected: 0, worst: 0, worstCases: [] });
  });
});

describe("the desk's estimate", () => {
  it("leaves out, and counts, the articles whose worst case alone is over the budget", async () => {
    await addArticles(test.db, 2, 1_500);
    await addArticles(test.db, 1, 60_000);
    const analysts = { analyst: () => analyst, researcher: () => null, tryNow() {} };
    const desk = createDesk({ db: test.db, config: readConfig({ GEMINI_PRICE_USD: "1/1" }), analysts });
    expect(await desk.estimate({ budget: micros(5_000) })).toMatchObject({ articles: 2, tooExpensive: 1 });
    expect(await desk.estimate({ budget: micros(500_000) })).toMatchObject({ articles: 3, tooExpensive: 0 });
  });
});
