/** Takes back what workers that are gone left behind, ends what is finished, and puts right what does not add up. */
import { describeCleanup } from "../lib/batches/describe_cleanup.ts";
import { vacuumEmbedded } from "../lib/database/vacuum.ts";
import type { Job } from "./job.ts";

export const cleanupStalledBatches: Job = async ({ db, desk, log }, { actor }) => {
  const report = await desk.cleanup(actor);
  const vacuumed = await vacuumEmbedded(db);
  if (vacuumed.length > 0) log("debug", { tables: vacuumed }, "vacuumed");
  const lines = describeCleanup(report);
  const text = lines.length === 0 ? "Nothing to clean up" : lines.join(". ");
  // A sum that was wrong means that somebody else than the program wrote: that is for a person to look into.
  const wrong = report.repaired.sessions.length + report.repaired.days.length > 0;
  if (lines.length > 0) log(wrong ? "warn" : "info", { ...report }, text);
  return { text, detail: { ...report } };
};
