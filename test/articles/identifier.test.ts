import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  findReady,
  type IdentifierRules,
  reportIdentification,
  type Verdict,
  VERDICTS,
} from "../../lib/articles/identifier.ts";
import { pauseSession } from "../../lib/batches/change_session.ts";
import { micros } from "../../lib/money.ts";
import { addSession } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";

const test = useTestDatabase();

const RULES: IdentifierRules = { minChars: 1_000, maxBytes: 5_000, languages: ["en", "de"] };

interface Given {
  title: string;
  chars: number;
  bytes: number;
  language: string | null;
  status: "ACTIVE" | "ARCHIVED" | "DELETED";
  analyzed: boolean;
  givenUp: string | null;
  published: string | null;
}

const READY: Given = {
  title: "T",
  chars: 1_500,
  bytes: 1_600,
  language: "en",
  status: "ACTIVE",
  analyzed: false,
  givenUp: null,
  published: "2026-10-01",
};

/** Sizes are given, not measured: the identifier reads the counted columns and never the text. */
async function add(...articles: Partial<Given>[]): Promise<number[]> {
  const ids: number[] = [];
  for (const article of articles) {
    const given = { ...READY, ...article };
    const { rows: [{ id }] } = await test.db.query<{ id: number }>(
      `INSERT INTO articles (source, title, body, body_chars, body_bytes, body_hash, language, status, analyzed_at,
         given_up, published_at)
       VALUES ('test', $1, '', $2, $3, gen_random_uuid()::text, $4, $5, CASE WHEN $6 THEN now() END, $7, $8)
       RETURNING id`,
      [
        given.title,
        given.chars,
        given.bytes,
        given.language,
        given.status,
        given.analyzed,
        given.givenUp,
        given.published,
      ],
    );
    ids.push(id);
  }
  return ids;
}

async function verdictOf(article: Partial<Given>): Promise<Verdict[]> {
  await add(article);
  const { counts } = await reportIdentification(test.db, RULES);
  return VERDICTS.filter((verdict) => counts[verdict] > 0);
}

async function readyIds(limit = 100): Promise<number[]> {
  return (await findReady(test.db, RULES, limit)).map(({ id }) => id);
}

describe("the verdict on an article", () => {
  const cases: [string, Partial<Given>, Verdict][] = [
    ["long enough, unread and in a language we read", {}, "ready"],
    ["of no known language", { language: null }, "ready"],
    ["one character over the least", { chars: 1_001 }, "ready"],
    ["of exactly the least characters", { chars: 1_000 }, "too_short"],
    ["without text", { chars: 0, bytes: 0 }, "empty"],
    ["in a language we do not read", { language: "fr" }, "wrong_language"],
    ["of as many bytes with its title as the model takes", { bytes: 4_999 }, "ready"],
    ["of one byte more, by its title", { bytes: 4_999, title: "TT" }, "too_long"],
    ["whose title has few letters but many bytes", { bytes: 4_997, title: "€€" }, "too_long"],
    ["that no analyst can read", { givenUp: "blocked" }, "given_up"],
    ["that was analysed", { analyzed: true }, "analyzed"],
    ["that is short and was given up", { chars: 10, givenUp: "blocked" }, "given_up"],
    ["that is short and in another language", { chars: 10, language: "fr" }, "too_short"],
  ];
  for (const [what, article, verdict] of cases) {
    it(`${what} is ${verdict}`, async () => {
      expect(await verdictOf(article)).toEqual([verdict]);
      expect(await readyIds()).toHaveLength(verdict === "ready" ? 1 : 0);
    });
  }

  it("in a live session is in_session, also while that session is paused", async () => {
    const articles = await add({}, {});
    const { session_id } = await addSession(test.db, {
      articles: articles.slice(0, 1),
      budget: micros(9_000),
    });
    for (const pause of [false, true]) {
      if (pause) await pauseSession(test.db, session_id, "test", "operator");
      expect((await reportIdentification(test.db, RULES)).counts).toMatchObject({ in_session: 1, ready: 1 });
      expect(await readyIds()).toEqual(articles.slice(1));
    }
  });

  it("is not passed on archived and deleted articles", async () => {
    await add({ status: "ARCHIVED" }, { status: "DELETED" });
    expect((await reportIdentification(test.db, RULES)).total).toBe(0);
    expect(await readyIds()).toEqual([]);
  });

  it("tells of an article that was given up why", async () => {
    await add({ givenUp: "the model refuses this text" });
    const { examples } = await reportIdentification(test.db, RULES);
    expect(examples.given_up[0].reason).toBe("the model refuses this text");
  });

  it("is exactly one for every article: the counts add up, and ready is what a session would get", async () => {
    const anyArticle = fc.record({
      chars: fc.constantFrom(0, 1, 1_000, 1_001, 9_000),
      bytes: fc.constantFrom(0, 1_001, 4_999, 5_000, 9_000),
      language: fc.constantFrom(null, "en", "de", "fr"),
      status: fc.constantFrom("ACTIVE" as const, "ACTIVE" as const, "ARCHIVED" as const),
      analyzed: fc.boolean(),
      givenUp: fc.constantFrom(null, null, "blocked"),
      published: fc.constantFrom(null, "2026-10-01", "2026-10-02"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyArticle, { maxLength: 12 }), async (articles) => {
        await test.db.query("TRUNCATE articles CASCADE");
        await add(...articles);
        const { total, counts } = await reportIdentification(test.db, RULES);
        expect(total).toBe(articles.filter(({ status }) => status === "ACTIVE").length);
        expect(VERDICTS.reduce((sum, verdict) => sum + counts[verdict], 0)).toBe(total);
        expect(await readyIds()).toHaveLength(counts.ready);
      }),
      { numRuns: 15 },
    );
  });
});

describe("ready articles", () => {
  it("come newest first, of one moment the later stored first, and without a date last", async () => {
    const [undated, old, middle, twin, newest] = await add(
      { published: null },
      { published: "2024-01-01" },
      { published: "2025-01-01" },
      { published: "2025-01-01" },
      { published: "2026-01-01" },
    );
    expect(await readyIds()).toEqual([newest, twin, middle, old, undated]);
  });

  it("are as many as asked for at the most, counted after those that are refused", async () => {
    const [, second, , fourth] = await add(
      { published: "2026-01-04", language: "fr" },
      { published: "2026-01-03" },
      { published: "2026-01-02", chars: 3 },
      { published: "2026-01-01" },
    );
    expect(await readyIds(1)).toEqual([second]);
    expect(await readyIds(2)).toEqual([second, fourth]);
  });

  it("carry the bytes of title and text, from which their worst case is made", async () => {
    await add({ title: "€uro", bytes: 2_000 });
    expect(await findReady(test.db, RULES, 1)).toMatchObject([{ text_bytes: 2_006 }]);
  });
});

describe("the report", () => {
  it("shows the newest examples of each verdict, as many as asked for, and counts all of them", async () => {
    await add(
      { title: "old", published: "2026-01-01" },
      { title: "new", published: "2026-01-03" },
      { title: "middle", published: "2026-01-02" },
    );
    const { counts, examples } = await reportIdentification(test.db, RULES, 2);
    expect(counts.ready).toBe(3);
    expect(examples.ready.map(({ title }) => title)).toEqual(["new", "middle"]);
  });

  it("counts without examples when none are wanted", async () => {
    await add({}, {});
    const { counts, examples } = await reportIdentification(test.db, RULES, 0);
    expect(counts.ready).toBe(2);
    expect(examples.ready).toEqual([]);
  });
});
