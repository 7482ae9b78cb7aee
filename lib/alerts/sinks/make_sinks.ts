/** The sinks that the settings name. */
import type { Config } from "../../config.ts";
import type { Log } from "../../log.ts";
import { createLogSink } from "./log.ts";
import type { AlertSink } from "./port.ts";
import { createWebhookSink } from "./webhook.ts";

export function makeSinks({ alerts }: Config, log: Log): AlertSink[] {
  return [createLogSink(log), ...(alerts.webhook ? [createWebhookSink(alerts.webhook)] : [])];
}
