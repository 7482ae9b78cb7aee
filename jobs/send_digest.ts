/** Sends the digest of yesterday (UTC) to wherever alerts go. A day is sent once. */
import type { Job } from "./job.ts";

export const sendDigest: Job = async ({ desk }, { actor }) => {
  const sent = await desk.sendDigest(actor);
  return { text: sent ? "The digest is on its way" : "The digest was sent before", detail: { sent } };
};
