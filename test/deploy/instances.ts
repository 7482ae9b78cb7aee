/**
 * Instances of the app as Deno Deploy runs them: several at once, each told to end (SIGINT) after a while, killed 5 s
 * later if it is still there, and another one begun in its place.
 */
import { startDeno } from "../helpers/process.ts";

/** From SIGINT to SIGKILL, ms. */
const KILL_AFTER_MS = 5_000;

export interface Instances {
  /** How many were begun, how many of them ended within 5 s of the signal, had to be killed, or ended before it. */
  readonly counts: { begun: number; ended: number; killed: number; crashed: number };
  /** What they said, a line each. */
  readonly lines: string[];
  /** The longest that one took from SIGINT to its end, ms. */
  readonly longestEndMs: number;
  /** Begins no more and waits for those that live. */
  stop(): Promise<void>;
}

export interface InstanceOptions {
  env: Record<string, string>;
  /** Living at once. */
  count: number;
  /** From when it is ready to SIGINT, ms: what a start takes on a busy machine is not part of it. */
  lifeMs: number;
  /** Of their clock, ms. */
  minuteMs: number;
  /** Program and its flags; main.ts in the platform's shape unless given. */
  program?: readonly string[];
}

export function startInstances(options: InstanceOptions): Instances {
  const counts = { begun: 0, ended: 0, killed: 0, crashed: 0 };
  const lines: string[] = [];
  const stopping = Promise.withResolvers<void>();
  let stopped = false;
  let longestEndMs = 0;

  const live = async (place: number) => {
    // Not all at the same moment.
    let lifeMs = options.lifeMs * (1 + place / options.count);
    while (!stopped) {
      const instance = startInstance(options);
      counts.begun++;
      const ended = instance.ended.then(() => true);
      const lived = instance.printed(/"msg":"ready"/).then(() => sleep(lifeMs), () => ended);
      const crashed = await Promise.race([ended, lived, stopping.promise]);
      lifeMs = options.lifeMs;
      const told = Date.now();
      signal(instance, "SIGINT");
      let killed = false;
      const kill = setTimeout(() => {
        killed = true;
        signal(instance, "SIGKILL");
      }, KILL_AFTER_MS);
      const { stderr, stdout } = await instance.ended;
      clearTimeout(kill);
      longestEndMs = Math.max(longestEndMs, Date.now() - told);
      if (crashed) counts.crashed++;
      else if (killed) counts.killed++;
      else counts.ended++;
      if (crashed) stopped = true;
      lines.push(...`${stdout}\n${stderr}`.split("\n").filter((line) => line !== ""));
    }
  };
  const lives = Array.from({ length: options.count }, (_, place) => live(place));
  return {
    counts,
    lines,
    get longestEndMs() {
      return longestEndMs;
    },
    async stop() {
      stopped = true;
      stopping.resolve();
      await Promise.all(lives);
    },
  };
}

/** One instance: all permissions, no KV, nothing of the machine's environment. */
export function startInstance(
  { env, minuteMs, program }: Pick<InstanceOptions, "env" | "minuteMs" | "program">,
) {
  const args = program ?? ["-A", "--preload=test/deploy/platform.ts", "main.ts"];
  return startDeno(args, {
    PORT: "0",
    ...env,
    DENO_DEPLOY: "true",
    DEPLOY_TEST_MINUTE_MS: String(minuteMs),
  });
}

function signal(instance: ReturnType<typeof startDeno>, name: Deno.Signal): void {
  try {
    instance.kill(name);
  } catch (error) {
    // It has ended by itself, a moment before that is known here.
    if (!(error instanceof TypeError)) throw error;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
