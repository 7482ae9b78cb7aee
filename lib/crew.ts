/** What a process of the service has for working off sessions, by its role and by where it runs. */
import type { Worker } from "./batches/worker/worker.ts";
import { Drain } from "./drain.ts";
import { presenceOf, type Role } from "./role.ts";
import { nameProcess, type RuntimeOptions, startRuntime } from "./runtime.ts";
import { createUpkeep } from "./upkeep.ts";

export interface Crew {
  /** Names the process in the audit trail. */
  id: string;
  /** Lets it look for work now. */
  worker: Pick<Worker, "wake">;
  /** Works off what is due until a deadline, where no worker lives all the time; null elsewhere. */
  drain: (() => Promise<void>) | null;
  /** Articles that it has claimed. */
  holding(): number;
  /** @param graceMs How long requests that are out may still be answered. */
  stop(graceMs: number): Promise<void>;
}

export async function gatherCrew(role: Role, options: Omit<RuntimeOptions, "role">): Promise<Crew> {
  if (role === "web") return await keepOnlyUp(options);
  if (options.config.deploy !== null) return drainNowAndThen(options);
  const runtime = await startRuntime({ ...options, role: presenceOf(role) });
  return {
    id: runtime.workerId,
    worker: runtime.worker,
    drain: null,
    holding: () => runtime.worker.holding,
    stop: (graceMs) => runtime.stop(graceMs),
  };
}

/** Pages and the bot: others do the work, and find it by looking. */
async function keepOnlyUp(options: Omit<RuntimeOptions, "role">): Promise<Crew> {
  const role = presenceOf("web");
  const id = nameProcess("web", role);
  const upkeep = createUpkeep(id, { ...options, role });
  await upkeep.begin(() => {});
  return {
    id,
    worker: { wake: () => {} },
    drain: null,
    holding: () => 0,
    stop: () => upkeep.stop(),
  };
}

/** A worker only while there is work: the platform ends a process soon after its last request. */
function drainNowAndThen(options: Omit<RuntimeOptions, "role">): Crew {
  const { db, log } = options;
  const drain = new Drain({ db, log, start: () => startRuntime({ ...options, role: "drain" }) });
  return {
    id: nameProcess("web", "deploy"),
    worker: { wake: () => void drain.run() },
    drain: () => drain.run(),
    holding: () => drain.holding,
    stop: (graceMs) => drain.stop(graceMs),
  };
}
