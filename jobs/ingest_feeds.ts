/** Takes in every feed of FEEDS. One that fails is recorded and logged and does not keep the others from going in. */
import { count } from "../lib/alerts/words.ts";
import { hideLocation, showLocation } from "../lib/articles/feed_location.ts";
import { keepFeeds } from "../lib/articles/feed_rows.ts";
import { messageOf } from "../lib/errors.ts";
import type { Job } from "./job.ts";

const ONLY_TEASERS =
  "stored teasers only: no permission to reach the hosts of their pages; add them to FEED_HOSTS and start again";

export const ingestFeeds: Job = async ({ db, desk, config, log }, { signal }) => {
  // A process without FEEDS may get the wish of one that has them: what is known of those is not its to forget.
  if (config.feeds.length > 0) await keepFeeds(db, config.feeds);
  let [added, read, unchanged] = [0, 0, 0];
  const failed: { feed: string; error: string }[] = [];
  for (const location of config.feeds) {
    if (signal.aborted) break;
    const feed = showLocation(location);
    try {
      const report = await desk.ingest(location, { signal });
      if (report.unchanged) unchanged++;
      else read++;
      added += report.new;
      const { new: fresh, known, updated, broken } = report;
      log("info", { feed, new: fresh, known, updated, broken: broken.length }, "took in a feed");
      if (report.notGranted) log("warn", { feed, hosts: report.notGranted }, ONLY_TEASERS);
    } catch (error) {
      if (signal.aborted) break;
      failed.push({ feed, error: hideLocation(messageOf(error), location) });
      log("warn", { ...failed.at(-1) }, "could not take in a feed");
    }
  }
  const detail = { feeds: config.feeds.length, read, unchanged, added, failed };
  if (config.feeds.length === 0) return { text: "No feeds are set", detail };
  const parts = [
    `${count(added, "new article")} from ${count(read, "feed")}`,
    unchanged > 0 ? `${unchanged} unchanged` : null,
    failed.length > 0 ? `${failed.length} failed: ${failed.map(({ feed }) => feed).join(", ")}` : null,
  ].filter((part) => part !== null);
  return { text: parts.join("; "), detail };
};
