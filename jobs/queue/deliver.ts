/** What every adapter does with a value that its queue hands out. */
import { messageOf } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { type Handler, messageSchema, type QueueName } from "./dispatcher.ts";

export type Handlers = Partial<Record<QueueName, Handler>>;

/** Never throws. False: the handler failed, the message has to come again. True: it was handled, or is of no use. */
export async function deliver(handlers: Handlers, value: unknown, log: Log): Promise<boolean> {
  const parsed = messageSchema.safeParse(value);
  if (!parsed.success) {
    log("warn", { value: JSON.stringify(value)?.slice(0, 200) }, "not a message of ours; dropped");
    return true;
  }
  const message = parsed.data;
  const handler = handlers[message.queue];
  if (!handler) {
    log("warn", { ...message }, "no handler for this queue; message dropped");
    return true;
  }
  try {
    await handler(message);
    return true;
  } catch (error) {
    log("warn", { ...message, error: messageOf(error) }, "a handler failed; the message comes again");
    return false;
  }
}
