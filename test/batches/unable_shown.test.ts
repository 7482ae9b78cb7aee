/** Whoever looks is told that a process cannot serve a live session, although others do and nothing is wrong. */
import { expect, it } from "vitest";
import { describeHealth } from "../../bot/replies/health.ts";
import { announceProcess } from "../../lib/batches/worker/presence.ts";
import { tellUnable } from "../../lib/batches/worker/unable.ts";
import { describeMonitor } from "../../lib/cli/describe_alerts.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { openWorkerBench } from "../helpers/worker_bench.ts";
import { makeWeb } from "../web/web_app.ts";

const test = useTestDatabase();

const LACKS = 'it needs a "<key>"';
const SENTENCE = `worker:lame cannot serve session 1: ${LACKS}`;

it("stands in the chat, in the terminal, on the page, in the API and at /readyz until the session has ended", async () => {
  const bench = await openWorkerBench(test.db);
  const lame = await announceProcess(test.db, "worker:lame", "worker");
  const able = await announceProcess(test.db, "worker:able", "worker");
  try {
    await addArticles(test.db, 3);
    const web = makeWeb(test.db);
    const read = async (path: string) => (await web.get(path)).text();
    const health = async () =>
      describeHealth({
        databaseMs: 1,
        database: "embedded",
        workers: await bench.desk.workers(),
        crons: [],
        feeds: [],
        sinks: [],
        open: [],
        waiting: 0,
        strangers: 0,
        upMs: 1_000,
      }, { now: new Date(), zone: "UTC" }).text;
    const { number } = await bench.desk.start({}, "operator:test");
    expect(await tellUnable(test.db, "worker:lame", number, LACKS)).toBe(true);

    expect(await bench.desk.processes()).toMatchObject([
      { worker_id: "worker:lame", unable: [{ session: number, lacks: LACKS }] },
      { worker_id: "worker:able", unable: [] },
    ]);
    const ready = await web.get("/readyz");
    expect(ready.status).toBe(200);
    expect((await ready.json()).checks).toContainEqual({
      name: "processes",
      ok: true,
      detail: `alive: 2 worker; ${SENTENCE}`,
    });
    expect(await read("/system")).toContain(
      "worker:lame cannot serve session 1: it needs a &quot;&lt;key&gt;&quot;",
    );
    expect(JSON.parse(await read("/api/status")).workers[0].unable).toEqual([{ session: 1, lacks: LACKS }]);
    expect(describeMonitor(await bench.desk.monitor("operator:test"))).toContain(`\n${SENTENCE}`);
    expect(await health()).toContain(`1 thing to look at\n\n· ${SENTENCE}`);

    bench.makeWorker().start();
    await bench.untilEnded(number);
    expect(await read("/readyz")).not.toContain("cannot serve");
    expect(await read("/system")).not.toContain("cannot serve");
    expect(await health()).toContain("All is well");
  } finally {
    await lame.leave();
    await able.leave();
    await bench.close();
  }
});
