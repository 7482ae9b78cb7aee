/** What a process of the service does. Several share one database: leases, holds and cron slots keep them apart. */
import { UsageError } from "./errors.ts";

/**
 * all: everything, the default. worker: analyses, and answers health checks and metrics. web: pages, API and the bot,
 * and analyses nothing. The crons run in each, every slot in one of those that have its schedule (lib/crons/schedules.ts).
 */
export const ROLES = ["all", "worker", "web"] as const;
export type Role = (typeof ROLES)[number];

/** Throws `UsageError`. */
export function parseRole(text: string): Role {
  const role = ROLES.find((known) => known === text);
  if (role) return role;
  throw new UsageError(`Cannot start as "${text}": wanted --role ${ROLES.join(", ")}`);
}

/** The role as the list of processes shows it; "service" has been the word for one that does everything. */
export function presenceOf(role: Role): string {
  return role === "all" ? "service" : role;
}
