/** Locks the row of `wanted` in a transaction, says so, and goes on with it a little later. */
import { openDatabase } from "../../../lib/database/connect.ts";
import { isConnectionLost } from "../../../lib/database/connection_lost.ts";

const { database } = await openDatabase({
  databaseUrl: Deno.env.get("DATABASE_URL") ?? null,
  dataDir: Deno.env.get("DATA_DIR") ?? "",
  role: "child",
  onConnectionError() {},
});
try {
  await database.transaction(async (tx) => {
    await tx.query("SELECT n FROM wanted FOR UPDATE");
    console.log("locked");
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await tx.query("UPDATE wanted SET n = 3");
  });
  console.log("lost: false");
} catch (error) {
  console.log(`lost: ${isConnectionLost(error)}`);
}
Deno.exit(0);
