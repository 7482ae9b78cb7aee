/** Opens the database of its environment, says how that went, and closes it when stdin ends. */
import { openDatabase } from "../../../lib/database/connect.ts";
import { messageOf } from "../../../lib/errors.ts";

try {
  const { database, ownedBy, migrated } = await openDatabase({
    databaseUrl: Deno.env.get("DATABASE_URL") ?? null,
    dataDir: Deno.env.get("DATA_DIR") ?? "",
    role: "test child",
    onConnectionError: () => {},
  });
  console.log(`opened ${JSON.stringify({ ownedBy, migrated })}`);
  for await (const _ of Deno.stdin.readable);
  await database.close();
} catch (error) {
  console.log(`refused ${messageOf(error)}`);
  Deno.exit(1);
}
Deno.exit(0);
