/** Every feature of the bot, and what is done when a question is answered with yes. */
import type { Feature } from "../feature.ts";
import type { Kit } from "../kit.ts";
import { aboutFeature } from "./about.ts";
import { alertsFeature } from "./alerts.ts";
import { articlesFeature } from "./articles.ts";
import { budgetsFeature, dayBudgetConfirmed, sessionBudgetConfirmed } from "./budgets.ts";
import { confirmationsFeature } from "./confirmations.ts";
import { costFeature } from "./cost.ts";
import { recoverConfirmed, recoveryFeature } from "./recovery.ts";
import { sessionsFeature } from "./sessions.ts";
import { startBatchFeature, startConfirmed } from "./start_batch.ts";
import { cancelConfirmed, steeringFeature } from "./steering.ts";
import { unknownCallsFeature, verdictConfirmed } from "./unknown_calls.ts";

export function createFeatures(kit: Kit): Feature[] {
  const features: Feature[] = [
    confirmationsFeature(kit, {
      start: startConfirmed,
      recover: recoverConfirmed,
      cancel: cancelConfirmed,
      session_budget: sessionBudgetConfirmed,
      day_budget: dayBudgetConfirmed,
      unknown: verdictConfirmed,
    }),
    startBatchFeature(kit),
    sessionsFeature(kit),
    steeringFeature(kit),
    recoveryFeature(kit),
    unknownCallsFeature(kit),
    articlesFeature(kit),
    budgetsFeature(kit),
    costFeature(kit),
    alertsFeature(kit),
    aboutFeature(kit, () => features.flatMap(({ commands }) => commands)),
  ];
  return features;
}
