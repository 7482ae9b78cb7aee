import { beforeEach, describe, expect, it } from "vitest";
import {
  bindMessage,
  concludeConfirmation,
  consumeConfirmation,
  createConfirmation,
  type Tap,
} from "../../bot/confirmations.ts";
import { openDatabase } from "../../lib/database/connect.ts";
import { openTestDatabase, useTestDatabase } from "../helpers/database.ts";

const test = useTestDatabase();
const ASKED = { kind: "start" as const, request: { limit: 5 }, chat: -100, user: 1001 };

let token: string;
let tap: Tap;

beforeEach(async () => {
  token = await createConfirmation(test.db, ASKED);
  await bindMessage(test.db, token, 55);
  tap = { token, answer: "yes", chat: -100, message: 55, user: 1001 };
});

const minutes = (n: number) => new Date(Date.now() + n * 60_000);

describe("an answer to a question", () => {
  it("counts once, with what was asked", async () => {
    expect(await consumeConfirmation(test.db, tap)).toMatchObject({
      kind: "consumed",
      confirmation: { kind: "start", request: { limit: 5 }, answer: "yes", outcome: null },
    });
    await concludeConfirmation(test.db, token, "Session 12 has started.");
    expect(await consumeConfirmation(test.db, tap)).toMatchObject({
      kind: "used",
      confirmation: { outcome: "Session 12 has started." },
    });
    expect((await consumeConfirmation(test.db, { ...tap, answer: "no" })).kind).toBe("used");
  });

  it("of 20 taps at once counts exactly once, whatever they say", async () => {
    const taps = Array.from(
      { length: 20 },
      (_, n) => ({ ...tap, answer: n % 2 ? "yes" as const : "no" as const }),
    );
    const results = await Promise.all(taps.map((one) => consumeConfirmation(test.db, one)));
    const consumed = results.filter(({ kind }) => kind === "consumed");
    expect(consumed).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === "used")).toHaveLength(19);
    const { rows: [row] } = await test.db.query<{ answer: string }>(
      "SELECT answer FROM telegram_confirmations",
    );
    expect(consumed[0]).toMatchObject({ confirmation: { answer: row.answer } });
  });

  it("does not count from another person, in another chat or under another message", async () => {
    expect((await consumeConfirmation(test.db, { ...tap, user: 1002 })).kind).toBe("not_yours");
    expect((await consumeConfirmation(test.db, { ...tap, chat: 1001 })).kind).toBe("unknown");
    expect((await consumeConfirmation(test.db, { ...tap, message: 56 })).kind).toBe("unknown");
    expect((await consumeConfirmation(test.db, { ...tap, token: "made-up" })).kind).toBe("unknown");
    // None of these used it up.
    expect((await consumeConfirmation(test.db, tap)).kind).toBe("consumed");
  });

  it("counts for ten minutes", async () => {
    expect((await consumeConfirmation(test.db, tap, minutes(10.1))).kind).toBe("expired");
    expect((await consumeConfirmation(test.db, tap, minutes(9.9))).kind).toBe("consumed");
    // Later it is told what came of it, not that it is too late.
    expect((await consumeConfirmation(test.db, tap, minutes(60))).kind).toBe("used");
  });

  it("counts when it comes before the message's id was written down, and binds it then", async () => {
    const early = await createConfirmation(test.db, ASKED);
    expect(await consumeConfirmation(test.db, { ...tap, token: early, message: 77 })).toMatchObject({
      kind: "consumed",
      confirmation: { message_id: 77 },
    });
    await bindMessage(test.db, early, 78);
    expect((await consumeConfirmation(test.db, { ...tap, token: early, message: 77 })).kind).toBe("used");
  });

  it("was cut off when a minute after a yes nobody has said what came of it, by the database's clock", async () => {
    await consumeConfirmation(test.db, tap);
    const later = (n: number) => consumeConfirmation(test.db, tap, minutes(n));
    expect(await later(0.9)).toMatchObject({ kind: "used", cutOff: false });
    expect(await later(1.1)).toMatchObject({ kind: "used", cutOff: true });
    // Too late to carry it out.
    expect(await later(10.1)).toMatchObject({ kind: "used", cutOff: false });
    await concludeConfirmation(test.db, token, "done");
    expect(await later(1.1)).toMatchObject({ kind: "used", cutOff: false });
  });

  it("keeps its first outcome", async () => {
    await concludeConfirmation(test.db, token, "first");
    await concludeConfirmation(test.db, token, "second");
    await consumeConfirmation(test.db, tap);
    expect(await consumeConfirmation(test.db, tap)).toMatchObject({ confirmation: { outcome: "first" } });
  });
});

it("a question survives the end of the process that asked it", async () => {
  const first = await openTestDatabase();
  const asked = await createConfirmation(first.db, ASKED);
  await bindMessage(first.db, asked, 55);
  await first.db.close();
  const { database } = await openDatabase({ ...first.settings, role: "test", onConnectionError: () => {} });
  expect((await consumeConfirmation(database, { ...tap, token: asked })).kind).toBe("consumed");
  await database.close();
  await first.close();
});

it("tokens are unguessable, all different, and fit on a button", async () => {
  const tokens = await Promise.all(Array.from({ length: 50 }, () => createConfirmation(test.db, ASKED)));
  expect(new Set(tokens).size).toBe(50);
  for (const one of tokens) expect(one).toMatch(/^[\w-]{22}$/);
});
