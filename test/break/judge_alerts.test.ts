/** The judge of alerts is itself put to the test: each way to lose, repeat or disorder an alert must be seen. */
import { beforeEach, expect, it } from "vitest";
import type { SeenAlert } from "../fakes/alert_receiver.ts";
import { raise } from "../alerts/watch_sinks.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { judgeAlerts } from "./judge_alerts.ts";
import type { ServiceRun } from "./service_run.ts";

const test = useTestDatabase();

/** Three events, a minute apart; the first two are called sent. */
beforeEach(async () => {
  await test.db.query("INSERT INTO alert_sinks (sink, since) VALUES ('webhook', '2020-01-01')");
  for (const text of ["one", "two", "three"]) await raise(test.db, text);
  await test.db.query(
    "UPDATE alerts SET created_at = '2026-01-01'::timestamptz + alert_id * interval '1 min'",
  );
  for (const alert of [1, 2]) await record(alert, "sent");
});

function record(alert: number, outcome: string) {
  return test.db.query(
    "INSERT INTO alert_deliveries (alert_id, notice, sink, outcome) VALUES ($1, 'raised', 'webhook', $2)",
    [alert, outcome],
  );
}

const seen = (alertId: number, text: string, at: number, taken = true): SeenAlert => ({
  key: `${alertId}:raised`,
  alertId,
  notice: "raised",
  text,
  at,
  taken,
});
const [one, two, three] = [seen(1, "one", 1_000), seen(2, "two", 2_000), seen(3, "three", 3_000)];
const died = (endedAt: number) => ({ endedAt }) as ServiceRun;

async function judge(arrived: readonly SeenAlert[], runs: readonly ServiceRun[] = []): Promise<string[]> {
  return (await judgeAlerts(test.db, arrived, runs)).violations;
}

it("an alert that nobody told, gave up, or only says that it told, is seen", async () => {
  expect(await judge([one, two])).toEqual(["an alert was never told: 3:raised three"]);
  await record(3, "refused");
  expect(await judge([one, two])).toEqual([expect.stringMatching(/^an alert was given up .*three$/)]);
  await test.db.query("UPDATE alert_deliveries SET outcome = 'obsolete' WHERE alert_id = 3");
  expect(await judge([one, two])).toEqual([expect.stringMatching(/^an alert was put aside .*three$/)]);
  await test.db.query("UPDATE alert_deliveries SET outcome = 'sent' WHERE alert_id = 3");
  expect(await judge([one, two, { ...three, taken: false }])).toEqual([
    "an alert is called sent and never arrived: 3:raised three",
  ]);
  expect(await judge([one, two, { ...three, taken: false }, three])).toEqual([]);
});

it("one that arrives out of order, with another text, or out of nothing, is seen", async () => {
  await record(3, "sent");
  expect(await judge([two, one, three])).toEqual([
    "an alert was told after what happened later: 1:raised one",
  ]);
  expect(await judge([one, { ...two, text: "too" }, three])).toEqual([
    "an alert arrived with another text: 2:raised too",
  ]);
  expect(await judge([one, two, three, seen(9, "nine", 4_000)])).toEqual([
    "an alert arrived that nobody raised: 9:raised nine",
  ]);
});

it("one that comes twice is counted, and a fault unless its sender died in between", async () => {
  await record(3, "sent");
  const again = { ...one, at: 1_500 };
  expect(await judgeAlerts(test.db, [one, again, two, three], [died(1_200)])).toMatchObject({
    sent: 3,
    arrived: 4,
    repeats: 1,
    violations: [],
  });
  expect(await judge([one, again, two, three], [died(900), died(1_600)])).toEqual([
    "an alert was told twice although nobody died: 1:raised one",
  ]);
});
