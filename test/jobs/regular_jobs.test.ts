import { describe, expect, it } from "vitest";
import { cleanupStalledBatches } from "../../jobs/cleanup_stalled_batches.ts";
import { deliverAlerts } from "../../jobs/deliver_alerts.ts";
import { dispatchDueBatches } from "../../jobs/dispatch_due_batches.ts";
import { ingestFeeds } from "../../jobs/ingest_feeds.ts";
import { monitorBatchProcessing } from "../../jobs/monitor_batch_processing.ts";
import { takeUpWork } from "../../jobs/take_up_work.ts";
import { sendDigest } from "../../jobs/send_digest.ts";
import { raiseAlert } from "../../lib/alerts/raise.ts";
import type { AlertSink, Notice } from "../../lib/alerts/sinks/port.ts";
import { holdItems } from "../../lib/budget/ledger/hold_items.ts";
import { micros } from "../../lib/money.ts";
import { sentences, serve } from "../articles/collect.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { makeJobs, runOf } from "../helpers/jobs.ts";

const test = useTestDatabase();

const run = (job: string, signal?: AbortSignal) => runOf(job, new Date(), signal);
const BUDGET = micros(100_000);

describe("the sweep", () => {
  it("wakes the workers for sessions in which something is due, and only for those", async () => {
    const { context, sent } = makeJobs(test.db);
    expect(await dispatchDueBatches(context, run("dispatch_due_batches"))).toEqual({
      text: "Nothing is due",
      detail: { resumed: [], due: [], requeued: 0 },
    });
    await addSession(test.db, { articles: await addArticles(test.db, 2), budget: BUDGET });
    const { text } = await dispatchDueBatches(context, run("dispatch_due_batches"));
    expect(text).toBe("Work is due in session 1");
    expect(sent).toEqual([{ queue: "batch_processing", job: "batch_analyze_articles", session: 1 }]);
    await test.db.query("UPDATE batch_processing_items SET not_before = now() + interval '1 minute'");
    expect((await dispatchDueBatches(context, run("dispatch_due_batches"))).text).toBe("Nothing is due");
    expect(sent).toHaveLength(1);
  });

  it("takes back what a dead worker held, without waiting for a worker to do so", async () => {
    const { context, sent } = makeJobs(test.db);
    const { session_id: sessionId } = await addSession(test.db, {
      articles: await addArticles(test.db, 1),
      budget: BUDGET,
    });
    await holdItems(test.db, { sessionId, limit: 1, worker: "worker:dead", leaseMs: 30_000 });
    expect((await dispatchDueBatches(context, run("dispatch_due_batches"))).text).toBe("Nothing is due");
    await test.db.query("UPDATE batch_processing_items SET lease_until = now() - interval '1 second'");
    expect((await dispatchDueBatches(context, run("dispatch_due_batches"))).text).toBe(
      "Work is due in session 1; 1 article of dead workers queued again",
    );
    expect(sent).toMatchObject([{ session: 1 }]);
    const { rows } = await test.db.query("SELECT actor FROM session_events WHERE action = 'lease_expired'");
    expect(rows).toEqual([{ actor: "cron:dispatch_due_batches" }]);
  });

  it("resumes a session whose wait for its provider is over, and wakes the workers for it", async () => {
    const { context, sent } = makeJobs(test.db);
    await addSession(test.db, { articles: await addArticles(test.db, 1), budget: BUDGET });
    await test.db.query(
      `UPDATE batch_processing_sessions
       SET status = 'PAUSED', reason = 'provider_outage', resume_at = now() - interval '1 second'`,
    );
    const branch = await dispatchDueBatches(
      { ...context, config: { ...context.config, deploy: { timeline: "git-branch/x" } } },
      run("dispatch_due_batches"),
    );
    expect(branch.text).toMatch(/^Nothing done: this is the timeline git-branch\/x/);
    expect(sent).toEqual([]);
    const { text } = await dispatchDueBatches(context, run("dispatch_due_batches"));
    expect(text).toBe("Resumed session 1; Work is due in session 1");
    expect(sent).toMatchObject([{ session: 1 }]);
    const { rows } = await test.db.query(
      "SELECT actor, to_state FROM session_events ORDER BY event_id DESC LIMIT 1",
    );
    expect(rows).toEqual([{ actor: "cron:dispatch_due_batches", to_state: "PROCESSING" }]);
  });
});

describe("monitoring", () => {
  it("says what lives, and raises what it finds", async () => {
    const { context } = makeJobs(test.db);
    expect((await monitorBatchProcessing(context, run("monitor_batch_processing"))).text).toBe(
      "0 live sessions, 0 workers, 0 open alerts",
    );
    await test.db.query(
      "INSERT INTO feeds (location, failures, last_error) VALUES ('feed.xml', 9, 'no answer')",
    );
    const { text, detail } = await monitorBatchProcessing(context, run("monitor_batch_processing"));
    expect(text).toMatch(/1 open alert; raised: The feed feed\.xml failed 9 times in a row: no answer/);
    expect(detail.raised).toHaveLength(1);
    await test.db.query("UPDATE feeds SET failures = 0");
    const over = await monitorBatchProcessing(context, run("monitor_batch_processing"));
    expect(over.text).toMatch(/0 open alerts; over: The feed feed\.xml/);
  });
});

describe("delivering alerts", () => {
  it("sends what waits to every sink, once, and says which sink fails", async () => {
    const told: Notice[] = [];
    const good: AlertSink = {
      name: "good",
      send: (notice) => Promise.resolve((told.push(notice), { ok: true })),
    };
    const bad: AlertSink = {
      name: "bad",
      send: () => Promise.resolve({ ok: false, refused: false, error: "answered 503" }),
    };
    const { context } = makeJobs(test.db, {}, { sinks: [good, bad] });
    expect((await deliverAlerts(context, run("deliver_alerts"))).text).toBe("Nothing to send");
    await raiseAlert(test.db, {
      rule: "scheduled_session",
      subject: "test",
      text: "Nightly session: nothing to do",
    });
    const first = await deliverAlerts(context, run("deliver_alerts"));
    expect(first.text).toBe("1 notice sent; bad fails: answered 503");
    expect((await deliverAlerts(context, run("deliver_alerts"))).text).toBe("Nothing to send");
    expect(told.map(({ alert }) => alert.text)).toEqual(["Nightly session: nothing to do"]);
  });
});

describe("cleaning up", () => {
  it("says in words what it did, and logs it; nothing is no news", async () => {
    const { context, logged } = makeJobs(test.db);
    expect((await cleanupStalledBatches(context, run("cleanup_stalled_batches"))).text).toBe(
      "Nothing to clean up",
    );
    expect(logged).toEqual([]);
    await addSession(test.db, { articles: await addArticles(test.db, 1), budget: BUDGET });
    await test.db.query("UPDATE batch_processing_sessions SET held = 500");
    const { text } = await cleanupStalledBatches(context, run("cleanup_stalled_batches"));
    expect(text).toMatch(/^Session 1 did not add up and was put right/);
    expect(logged).toEqual([expect.stringContaining('"level":"warn"')]);
  });
});

describe("the digest", () => {
  it("of a day is sent once", async () => {
    const { context } = makeJobs(test.db);
    expect((await sendDigest(context, run("send_digest"))).text).toBe("The digest is on its way");
    expect((await sendDigest(context, run("send_digest"))).text).toBe("The digest was sent before");
    const { rows } = await test.db.query("SELECT FROM alerts WHERE rule = 'daily_digest'");
    expect(rows).toHaveLength(1);
  });
});

describe("taking in feeds", () => {
  const feedOf = (title: string) =>
    new Response(
      `<rss version="2.0"><channel><title>f</title><item><title>${title}</title><guid>${title}</guid>
       <description>${sentences(12, title)}</description></item></channel></rss>`,
      { headers: { "content-type": "application/rss+xml", etag: `"${title}"` } },
    );

  it("goes on after a feed that fails, remembers each and shows no key", async () => {
    await using server = serve((request) => {
      const { pathname } = new URL(request.url);
      return pathname === "/bad" ? new Response("no", { status: 500 }) : feedOf(pathname.slice(1));
    });
    const feeds = ["good", "bad?token=hunter2hunter2", "better"].map((path) => `${server.url}/${path}`);
    const { context, logged } = makeJobs(test.db, { FEEDS: feeds.join(","), ALLOW_PRIVATE_FEEDS: "yes" });
    await test.db.query("INSERT INTO feeds (location, failures) VALUES ('https://gone.example/', 9)");
    const { text, detail } = await ingestFeeds(context, run("ingest_feeds"));
    expect(text).toBe(`2 new articles from 2 feeds; 1 failed: ${server.url}/bad?token=…`);
    expect(detail).toMatchObject({ feeds: 3, read: 2, added: 2, unchanged: 0 });
    expect(logged.filter((line) => line.includes('"warn"'))).toEqual([
      expect.stringMatching(/could not take in a feed.*status 500/),
    ]);
    expect(JSON.stringify([text, detail, logged])).not.toContain("hunter2");
    expect(await context.desk.feeds()).toMatchObject([
      { location: `${server.url}/good`, failures: 0, added: 1 },
      { location: `${server.url}/bad?token=…`, failures: 1, added: 0, last_ok_at: null },
      { location: `${server.url}/better`, failures: 0, added: 1 },
    ]);
    const { rows } = await test.db.query("SELECT FROM feeds");
    expect(rows).toHaveLength(3);
  });

  it("ends between two feeds when the process does, and blames none", async () => {
    const ending = new AbortController();
    await using server = serve(() => (ending.abort(), new Promise<Response>(() => {})));
    const feeds = [`${server.url}/a`, `${server.url}/b`];
    const { context, logged } = makeJobs(test.db, { FEEDS: feeds.join(","), ALLOW_PRIVATE_FEEDS: "yes" });
    await ingestFeeds(context, run("ingest_feeds", ending.signal));
    expect(server.asked).toEqual(["/a"]);
    expect(logged).toEqual([]);
    expect(await context.desk.feeds()).toMatchObject([{ failures: 0 }, { failures: 0 }]);
  });

  it("has nothing to do without feeds, and leaves those alone that other processes read", async () => {
    await test.db.query("INSERT INTO feeds (location) VALUES ('https://elsewhere.example/')");
    const { context } = makeJobs(test.db);
    expect((await ingestFeeds(context, run("ingest_feeds"))).text).toBe("No feeds are set");
  });
});

describe("a service that starts", () => {
  it("wakes for the batches of live sessions, and reads the feeds unless somebody just did", async () => {
    const { context, sent } = makeJobs(test.db, { FEEDS: "a.xml,b.xml" });
    await addSession(test.db, { articles: await addArticles(test.db, 1), budget: BUDGET });
    await takeUpWork(context);
    const wake = { queue: "batch_processing", job: "batch_analyze_articles", session: 1, batch: 1 };
    expect(sent.splice(0)).toEqual([wake, { queue: "newsletter", job: "ingest_feeds" }]);
    await test.db.query("INSERT INTO feeds (location) VALUES ('a.xml'), ('b.xml')");
    await takeUpWork(context);
    expect(sent.splice(0)).toEqual([wake]);
    await test.db.query(
      "UPDATE feeds SET last_run_at = now() - interval '6 minutes' WHERE location = 'b.xml'",
    );
    await takeUpWork(context);
    expect(sent).toHaveLength(2);
    const bare = makeJobs(test.db);
    await takeUpWork(bare.context);
    expect(bare.sent).toEqual([wake]);
  });
});
