/**
 * A process with the dispatcher that its settings name. ENQUEUE, a message as JSON: puts it in with the delay
 * DELAY_MS and says so. Otherwise it takes messages, says which, and never ends with one.
 */
import { messageSchema } from "../../../jobs/queue/dispatcher.ts";
import { openDispatcher } from "../../../jobs/queue/open_dispatcher.ts";
import { readConfig } from "../../../lib/config.ts";
import { openDatabase } from "../../../lib/database/connect.ts";

const config = readConfig();
const { database: db } = await openDatabase({ ...config, role: "test", onConnectionError: () => {} });
const dispatcher = await openDispatcher({ db, config, log: () => {} });
const message = Deno.env.get("ENQUEUE");
if (message) {
  await dispatcher.enqueue(messageSchema.parse(JSON.parse(message)), Number(Deno.env.get("DELAY_MS")));
  console.log("enqueued");
} else {
  dispatcher.listen({
    batch_processing(taken) {
      console.log(`took ${JSON.stringify(taken)}`);
      return new Promise(() => {});
    },
  });
  console.log("listening");
}
// Nothing else may keep the process alive; it is always killed.
await new Promise((resolve) => setTimeout(resolve, 600_000));
