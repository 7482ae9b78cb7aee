import { describe, expect, it } from "vitest";
import { cleanupStalledBatches } from "../../jobs/cleanup_stalled_batches.ts";
import { vacuumEmbedded } from "../../lib/database/vacuum.ts";
import { addArticles } from "../helpers/articles.ts";
import { SERVER, useTestDatabase } from "../helpers/database.ts";
import { makeJobs, runOf } from "../helpers/jobs.ts";

const test = useTestDatabase();

async function bytesOfArticles(): Promise<number> {
  const { rows: [{ bytes }] } = await test.db.query<{ bytes: number }>(
    "SELECT pg_relation_size('articles') AS bytes",
  );
  return bytes;
}

/** Writes each article anew so many times; PostgreSQL counts the dead rows up to a second later. */
async function rewriteArticles(times: number): Promise<void> {
  for (let n = 0; n < times; n++) await test.db.query("UPDATE articles SET title = title || 'x'");
  await expect.poll(async () => {
    const { rows } = await test.db.query<{ dead: number }>(
      "SELECT n_dead_tup AS dead FROM pg_stat_user_tables WHERE relname = 'articles'",
    );
    return rows[0]!.dead;
  }, { timeout: 30_000, interval: 200 }).toBeGreaterThan(100);
}

describe.skipIf(SERVER)("the embedded database", () => {
  it("uses the room of dead rows again, so that rewriting the same rows does not make it grow", async () => {
    await addArticles(test.db, 100);
    await rewriteArticles(5);
    const grown = await bytesOfArticles();
    expect(await vacuumEmbedded(test.db)).toContain("articles");
    expect(await vacuumEmbedded(test.db)).toEqual([]);
    await rewriteArticles(4);
    expect(await bytesOfArticles()).toBe(grown);
  });

  it("knows how many rows there are where rows are only added", async () => {
    await addArticles(test.db, 100);
    const known = async () => {
      const { rows: [{ rows_known }] } = await test.db.query<{ rows_known: number }>(
        "SELECT reltuples::integer AS rows_known FROM pg_class WHERE oid = 'articles'::regclass",
      );
      return rows_known;
    };
    await test.db.query("ANALYZE articles");
    const before = await known();
    await addArticles(test.db, 200);
    await expect.poll(() => vacuumEmbedded(test.db), { timeout: 30_000, interval: 200 }).toContain(
      "articles",
    );
    expect(await known()).toBe(before + 200);
  });

  it("is cleaned by the regular cleanup, between the statements of others", async () => {
    await addArticles(test.db, 100);
    await rewriteArticles(5);
    const { context } = makeJobs(test.db);
    const others = Promise.all(
      Array.from({ length: 20 }, () => test.db.query("SELECT count(*) FROM articles")),
    );
    await cleanupStalledBatches(context, runOf("cleanup_stalled_batches", new Date()));
    await others;
    expect(await vacuumEmbedded(test.db)).toEqual([]);
  });
});

describe.runIf(SERVER)("a server", () => {
  it("is left to its own autovacuum", async () => {
    await addArticles(test.db, 100);
    for (let n = 0; n < 5; n++) await test.db.query("UPDATE articles SET title = title || 'x'");
    expect(await vacuumEmbedded(test.db)).toEqual([]);
  });
});
