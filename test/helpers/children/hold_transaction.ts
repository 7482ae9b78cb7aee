/** Opens a transaction on the socket in SOCKET_FOLDER, says so, and then says nothing more. */
import pg from "pg";

const client = new pg.Client({ host: Deno.env.get("SOCKET_FOLDER"), user: "postgres", database: "postgres" });
client.on("error", () => {});
await client.connect();
await client.query("BEGIN");
await client.query("CREATE TABLE half_done (n integer)");
console.log("open");
setInterval(() => {}, 60_000);
