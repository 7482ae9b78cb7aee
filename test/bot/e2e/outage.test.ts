import { describe, it } from "vitest";
import { useTestDatabase } from "../../helpers/database.ts";
import { rideOutAbsence } from "./absence.ts";

const test = useTestDatabase();

describe("when Telegram is away", () => {
  it.each(["refused", "reset", "gateway"] as const)(
    "(%s) the session goes on, the budget alert waits, and comes once when Telegram is back, before the result",
    (how) => rideOutAbsence(test.db, how),
    120_000,
  );
});
