/** In which order files run: the longest first, so that at the end no core waits for the other one's last file. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take over a quarter of a minute on two cores, longest first; all others come after them. */
const LONGEST = [
  "bot/e2e/outage",
  "bot/e2e/outage_silent",
  "bot/e2e/trouble",
  "bot/e2e/restart",
  "bot/e2e/commands_by_webhook",
  "bot/e2e/commands_by_polling",
  "jobs/pgboss_dispatcher",
  "notebooks/headless",
  "notebooks/cells",
  "break/kill",
  "budget/ledger_properties",
  "bot/console/chat",
  "web/pages",
  "notebooks/copies",
  "roles/roles",
  "deploy/drain",
  "cli/repairs",
  "cli/service",
  "permissions/task",
  "permissions/feeds",
  "notebooks/snapshot",
  "batches/provider_storms_tavily",
  "batches/provider_storms",
  "jobs/pgboss_schema",
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
