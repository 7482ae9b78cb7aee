import { describe, expect, it } from "vitest";
import { listMutes, muteAlerts, unmuteAlerts } from "../../lib/alerts/mutes.ts";
import { acknowledgeAlert, listOpenAlerts, listRecentAlerts } from "../../lib/alerts/read_alerts.ts";
import { raiseAlert, resolveAlerts } from "../../lib/alerts/raise.ts";
import { NotFoundError, UserError } from "../../lib/errors.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { addWork } from "../batches/work_session.ts";
import { raise } from "./watch_sinks.ts";

const test = useTestDatabase();

const later = (minutes: number) => new Date(Date.now() + minutes * 60_000);
const ALL = { rule: null, session: null };

async function readEvents(): Promise<string[]> {
  const { rows } = await test.db.query<{ actor: string; action: string; session_id: string | null }>(
    "SELECT actor, action, session_id FROM session_events WHERE action LIKE 'alert%' ORDER BY event_id",
  );
  return rows.map(({ actor, action, session_id }) =>
    `${actor} ${action}${session_id ? " of a session" : ""}`
  );
}

describe("mutes", () => {
  it("are listed while they hold, with who made them and what they are about", async () => {
    const { number } = await addWork(test.db, 1);
    await muteAlerts(test.db, { rule: "stalled", session: number, until: later(60) }, "operator:cli");
    await muteAlerts(test.db, { ...ALL, until: later(30) }, "operator:telegram:7");
    const mutes = await listMutes(test.db);
    expect(mutes.map(({ rule, number, muted_by }) => [rule, number, muted_by])).toEqual([
      [null, null, "operator:telegram:7"],
      ["stalled", 1, "operator:cli"],
    ]);
    expect((await listMutes(test.db, later(45))).map(({ rule }) => rule)).toEqual(["stalled"]);
    expect(await listMutes(test.db, later(61))).toEqual([]);
  });

  it("end all together, once, and the audit trail knows who did it", async () => {
    const { number } = await addWork(test.db, 1);
    await muteAlerts(test.db, { ...ALL, until: later(60) }, "operator:a");
    await muteAlerts(test.db, { ...ALL, session: number, until: later(60) }, "operator:a");
    expect(await unmuteAlerts(test.db, "operator:b")).toBe(2);
    expect(await unmuteAlerts(test.db, "operator:b")).toBe(0);
    expect(await listMutes(test.db)).toEqual([]);
    expect((await readEvents()).toSorted()).toEqual([
      "operator:a alerts_muted",
      "operator:a alerts_muted of a session",
      "operator:b alerts_unmuted",
      "operator:b alerts_unmuted of a session",
    ]);
  });

  it("of nothing that exists, of the past or of next month are refused in one line", async () => {
    const refused: [Parameters<typeof muteAlerts>[1], RegExp][] = [
      [
        { rule: "staled", session: null, until: later(60) },
        /^Cannot mute: there is no rule staled; did you mean stalled\?$/,
      ],
      [{ ...ALL, until: later(-1) }, /^Cannot mute: wanted a time within the next 7 days, got /],
      [{ ...ALL, until: later(8 * 24 * 60) }, /^Cannot mute: wanted a time within the next 7 days, got /],
      [{ ...ALL, session: 99, until: later(60) }, /^There is no session 99\. /],
    ];
    for (const [scope, wanted] of refused) {
      await expect(muteAlerts(test.db, scope, "test")).rejects.toThrow(UserError);
      await expect(muteAlerts(test.db, scope, "test")).rejects.toThrow(wanted);
    }
    expect(await listMutes(test.db)).toEqual([]);
  });
});

describe("the lists of alerts", () => {
  it("are the conditions that last, loudest first, and everything, newest first", async () => {
    await raise(test.db, "event");
    await raise(test.db, "warning", { lasting: true });
    await raise(test.db, "critical", { lasting: true, level: "critical" });
    const over = await raise(test.db, "over", { lasting: true });
    await resolveAlerts(test.db, { dedupeKeys: [over] }, { resolution: "gone", tell: true });
    expect((await listOpenAlerts(test.db)).map(({ text }) => text)).toEqual(["critical", "warning"]);
    const recent = await listRecentAlerts(test.db, 3);
    expect(recent.map(({ text, resolution }) => [text, resolution])).toEqual([
      ["over", "gone"],
      ["critical", null],
      ["warning", null],
    ]);
  });
});

describe("an acknowledgement", () => {
  it("keeps the first word, leaves the condition open and stands in the audit trail", async () => {
    const { session_id, number } = await addWork(test.db, 1);
    await raiseAlert(test.db, { rule: "stalled", sessionId: session_id, text: "stalled" });
    const [{ alert_id }] = await listOpenAlerts(test.db);
    const first = await acknowledgeAlert(test.db, alert_id, "operator:a");
    expect(first).toMatchObject({ acknowledged_by: "operator:a", number, resolved_at: null });
    expect(await acknowledgeAlert(test.db, alert_id, "operator:b")).toEqual(first);
    expect(await listOpenAlerts(test.db)).toHaveLength(1);
    expect(await readEvents()).toEqual(["operator:a alert_acknowledged of a session"]);
  });

  it("of an alert that does not exist is refused by its number", async () => {
    await expect(acknowledgeAlert(test.db, 99, "test")).rejects.toThrow(NotFoundError);
    await expect(acknowledgeAlert(test.db, 99, "test")).rejects.toThrow(/^There is no alert 99\./);
  });
});
