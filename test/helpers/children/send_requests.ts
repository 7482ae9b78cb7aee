/**
 * Sends requests to PROVIDER as NAME as fast as a gate for RPM requests a minute lets it, WIDTH at once, until it is
 * killed. An answer 429 closes the gate for as many ms as its body says.
 */
import { CallGate } from "../../../lib/batches/worker/call_gate.ts";
import { shareRate } from "../../../lib/batches/worker/shared_rate.ts";
import { openDatabase } from "../../../lib/database/connect.ts";

const setting = (name: string) => Deno.env.get(name) ?? "";
const { database } = await openDatabase({
  databaseUrl: Deno.env.get("DATABASE_URL") ?? null,
  dataDir: setting("DATA_DIR"),
  role: "test child",
  onConnectionError() {},
});
const gate = new CallGate({ rate: shareRate(database, "gemini", Number(setting("RPM"))) });
gate.onClosedElsewhere(() => console.log("heard"));
console.log("ready");
const never = new AbortController().signal;
await Promise.all(Array.from({ length: Number(setting("WIDTH")) }, async () => {
  while (await gate.pass(never)) {
    const answer = await fetch(`${setting("PROVIDER")}/${setting("NAME")}`, { method: "POST", body: "{}" });
    const text = await answer.text();
    if (answer.status === 429) gate.close(Number(text));
  }
}));
