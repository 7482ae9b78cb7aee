/** How long an article waits whose workers died again and again. */
import { expect, it } from "vitest";
import { reclaimExpired } from "../../lib/batches/leases.ts";
import { holdItems } from "../../lib/budget/ledger/hold_items.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";

const test = useTestDatabase();

it("an article whose fifteenth worker died waits ten minutes, like any other retry, and not nine hours", async () => {
  const { session_id: sessionId } = await addSession(test.db, {
    articles: await addArticles(test.db, 1),
    budget: micros(100_000),
    settings: { maxAttempts: 20, retryBaseMs: 2_000 },
  });
  await holdItems(test.db, { sessionId, limit: 1, worker: "w", leaseMs: 30_000 });
  await test.db.query("UPDATE batch_processing_items SET attempts = 15");
  const later = new Date(Date.now() + 60_000);
  expect(await reclaimExpired(test.db, "cleanup", later)).toMatchObject({ requeued: 1 });
  const { rows: [item] } = await test.db.query<{ not_before: Date }>(
    "SELECT not_before FROM batch_processing_items",
  );
  expect(item.not_before.getTime() - later.getTime()).toBe(600_000);
});
