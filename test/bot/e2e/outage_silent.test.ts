import { describe, it } from "vitest";
import { useTestDatabase } from "../../helpers/database.ts";
import { rideOutAbsence } from "./absence.ts";

const test = useTestDatabase();

describe("when Telegram takes what it is told and never answers", () => {
  it(
    "the session goes on, the budget alert waits, and comes once when Telegram is back, before the result",
    () => rideOutAbsence(test.db, "silent"),
    120_000,
  );
});
