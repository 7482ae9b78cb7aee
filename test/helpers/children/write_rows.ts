/** Writes rows named after NAME into the table `written`, one after the other, and prints each when acknowledged. */
import { openDatabase } from "../../../lib/database/connect.ts";

const name = Deno.env.get("NAME") ?? "";
const { database, ownedBy } = await openDatabase({
  databaseUrl: null,
  dataDir: Deno.env.get("DATA_DIR") ?? "",
  role: name,
  onConnectionError: () => {},
});
await database.query("CREATE TABLE IF NOT EXISTS written (name text, n integer)");
console.log(ownedBy ? `joined ${ownedBy}` : "owns");
for (let n = 1;; n++) {
  await database.query("INSERT INTO written VALUES ($1, $2)", [name, n]);
  console.log(`row ${n}`);
}
