/** In which order files run: the longest first, so that at the end no core waits for the other one's last file. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take over a quarter of a minute on two cores, longest first; all others come after them. */
const LONGEST = [
  "bot/e2e/trouble",
  "jobs/kv_dispatcher",
  "bot/e2e/outage",
  "bot/e2e/commands_by_polling",
  "bot/e2e/commands_by_webhook",
  "batches/provider_storms",
  "jobs/pgboss_dispatcher",
  "bot/e2e/outage_silent",
  "jobs/pgboss_outage",
  "batches/worker_odd_answers",
  "bot/e2e/strangers",
  "bot/e2e/start_batch",
  "bot/e2e/restart",
  "bot/e2e/groups",
  "notebooks/headless",
  "budget/ledger_properties",
  "break/kill",
  "notebooks/cells",
  "break/postgres_faults",
  "break/two_processes",
  "break/pgboss_services",
  "web/pages",
  "batches/provider_storms_tavily",
  "bot/console/chat",
  "deploy/deploy",
  "notebooks/snapshot",
  "roles/roles",
  "cli/service",
  "batches/worker",
  "permissions/task",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const ranks = new Map(files.map((file) => [file, rankOf(file)]));
    return (await super.sort(files)).sort((a, b) => groupOf(a) - groupOf(b) || ranks.get(a)! - ranks.get(b)!);
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return rank < 0 ? LONGEST.length : rank;
}

function groupOf({ project }: TestSpecification): number {
  return project.config.sequence.groupOrder;
}
