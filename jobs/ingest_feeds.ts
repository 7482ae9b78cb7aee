/** Takes in every feed of FEEDS. A feed that fails is logged and does not keep the others from going in. */
import type { Desk } from "../lib/desk.ts";
import { messageOf } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";

export async function ingestFeeds(desk: Desk, feeds: readonly string[], log: Log): Promise<void> {
  for (const feed of feeds) {
    try {
      const { source, new: added, known, updated, broken } = await desk.ingest(feed);
      log("info", { source, new: added, known, updated, broken: broken.length }, "took in a feed");
    } catch (error) {
      log("warn", { feed, error: messageOf(error) }, "could not take in a feed");
    }
  }
}
