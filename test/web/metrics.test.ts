import { expect, it } from "vitest";
import { useTestDatabase } from "../helpers/database.ts";
import { cancelSession } from "../../lib/batches/change_session.ts";
import { reclaimExpired } from "../../lib/batches/leases.ts";
import { deleteOldRows } from "../../lib/batches/old_rows.ts";
import { recoverSession } from "../../lib/batches/recover_items.ts";
import { resolveUnknown } from "../../lib/batches/resolve_unknown.ts";
import { addWork, analyse, claim, fail, LEASE_MS } from "../batches/work_session.ts";
import { makeWeb } from "./web_app.ts";

const test = useTestDatabase();

/** Every sample as its name with labels and its value. */
async function scrape(): Promise<Map<string, number>> {
  const answer = await makeWeb(test.db).get("/metrics");
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await answer.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line): [string, number] => {
    const space = line.lastIndexOf(" ");
    return [line.slice(0, space), Number(line.slice(space + 1))];
  }));
}

it("metrics agree with the ledger, in base units, also for calls of days that are over", async () => {
  const session = await addWork(test.db, 5);
  const claimed = await claim(test.db, session.session_id, 4);
  await analyse(test.db, session.session_id, claimed.slice(0, 2));
  await fail(test.db, session.session_id, claimed.slice(2, 3), "give_up");
  const [first] = claimed;
  await test.db.query("UPDATE paid_calls SET day = day - 5 WHERE call_id = $1", [first.call_id]);
  const samples = await scrape();
  const use = 'provider="gemini",model="gemini-3.1-flash-lite",kind="analysis",simulated="false"';
  expect(samples.get(`nightdesk_spend_dollars_total{${use}}`)).toBeCloseTo(0.0002);
  // The fourth is still out.
  expect(samples.get(`nightdesk_calls_total{${use}}`)).toBe(3);
  expect(samples.get('nightdesk_sessions{status="PROCESSING"}')).toBe(1);
  expect(samples.get('nightdesk_session_articles{outcome="analyzed"}')).toBe(2);
  expect(samples.get('nightdesk_session_articles{outcome="failed"}')).toBe(1);
  expect(samples.get('nightdesk_queue_articles{state="processing"}')).toBe(1);
  expect(samples.get('nightdesk_queue_articles{state="due"}')).toBe(1);
  expect(samples.get('nightdesk_session_dollars{part="held"}')).toBeCloseTo(0.001);
  expect(samples.get("nightdesk_session_failure_ratio")).toBeCloseTo(1 / 3);
  expect(samples.get("nightdesk_last_success_timestamp_seconds")).toBeGreaterThan(Date.now() / 1_000 - 60);
});

it("the labels of metrics stay few however many models a ledger has seen", async () => {
  const session = await addWork(test.db, 40);
  await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 40));
  await test.db.query("UPDATE paid_calls SET answered_model = 'model-' || call_id");
  const models = [...(await scrape()).keys()].filter((name) => name.startsWith("nightdesk_calls_total"));
  expect(models).toHaveLength(21);
  expect(models.filter((name) => name.includes('model="other"'))).toHaveLength(1);
});

it("no counter falls, whatever a recovery, an operator's word or the cleanup takes back", async () => {
  const { session_id } = await addWork(test.db, 6);
  const claimed = await claim(test.db, session_id, 5);
  await analyse(test.db, session_id, claimed.slice(0, 2));
  await fail(test.db, session_id, claimed.slice(2, 4), "retry");
  const steps: (() => Promise<unknown>)[] = [
    () => reclaimExpired(test.db, "cleanup", new Date(Date.now() + 2 * LEASE_MS)),
    () => cancelSession(test.db, session_id, "test"),
    () => recoverSession(test.db, session_id, null, "test"),
    () => resolveUnknown(test.db, { session: 1 }, "unpaid", "test"),
    () => deleteOldRows(test.db, new Date(Date.now() + 1_000 * 86_400_000)),
  ];
  let before = await scrape();
  for (const step of steps) {
    await step();
    const after = await scrape();
    for (const [name, value] of before) {
      if (/_total(\{|$)/.test(name)) expect(after.get(name), name).toBeGreaterThanOrEqual(value);
    }
    before = after;
  }
});

it("metrics are named by the convention: what promtool would complain of is not there", async () => {
  const session = await addWork(test.db, 2);
  await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 1));
  const lines = (await (await makeWeb(test.db).get("/metrics")).text()).split("\n");
  const types = new Map(lines.flatMap((line): [string, string][] => {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    return name ? [[name, type]] : [];
  }));
  expect(types.size).toBeGreaterThan(20);
  for (const [name, type] of types) {
    expect(name).toMatch(/^nightdesk_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith("_total"), name).toBe(type === "counter");
    expect(name, "base units").not.toMatch(/_(ms|milliseconds|minutes|hours|days|micros|cents|percent)(_|$)/);
    expect(name, "no type in the name").not.toMatch(/_(gauge|counter|count|sum)(_|$)/);
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^# HELP ${name} \\S`)));
  }
  const samples = lines.filter((line) => line !== "" && !line.startsWith("#"));
  for (const sample of samples) {
    const [, name, value] = /^([a-z_]+)(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? (\S+)$/.exec(sample) ??
      [];
    expect(types.has(name), sample).toBe(true);
    expect(Number.isFinite(Number(value)), sample).toBe(true);
  }
  expect(new Set(samples.map((sample) => sample.slice(0, sample.lastIndexOf(" ")))).size).toBe(
    samples.length,
  );
});
