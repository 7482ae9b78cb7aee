/** Calls the Bot API at BOT_API once, and the same address once by plain `fetch`, so that there is a span to look for. */
import { Api, HttpError } from "grammy";
import { telegramFetch } from "../../../bot/telegram_fetch.ts";

const apiRoot = Deno.env.get("BOT_API") ?? "";
const api = new Api(Deno.env.get("BOT_TOKEN") ?? "", { apiRoot, fetch: telegramFetch });
const me = await api.getMe().catch((error) => {
  console.log("failed with", error instanceof HttpError && error.error instanceof Error && error.error.name);
  Deno.exit(1);
});
console.log(me.username);
await (await fetch(`${apiRoot}/botcontrol/getMe`)).body?.cancel();
console.log("called");
// Ends when its input ends: by then the spans have left.
for await (const _ of Deno.stdin.readable);
