/**
 * Desk commands for the tests of one file, most of them run by one process that stays: starting Deno and loading the
 * program costs a second of the processor, a command a few milliseconds. The first run of every command is a process of
 * its own, as people start it. What is about processes themselves (signals, two at once) starts its own.
 */
import { afterAll } from "vitest";
import { desk, deskFlags, type Ended, keepRunning, type RunningProcess, startDeno } from "./process.ts";

type RunDesk = (args: readonly string[], env: Record<string, string>) => Promise<Ended>;

/** Call it once a file; commands given at once are run in turn, but for first ones. */
export function keepDesk(): RunDesk {
  const known = new Set<string>();
  const kept = new Map<string, KeptProcess>();
  afterAll(async () => {
    await Promise.all([...kept.values()].map((process) => process.end()));
  });
  return (args, env) => {
    const [command = ""] = args;
    if (!known.has(command)) {
      known.add(command);
      return desk(args, env);
    }
    // Permissions are given at the start.
    const flags = deskFlags(env);
    const key = flags.join(" ");
    let process = kept.get(key);
    if (!process) kept.set(key, process = new KeptProcess(flags));
    return process.run(args, env);
  };
}

class KeptProcess {
  readonly #process: RunningProcess;
  #last: Promise<unknown> = Promise.resolve();

  constructor(flags: readonly string[]) {
    this.#process = startDeno([...flags, "test/helpers/children/desk_commands.ts"]);
    keepRunning(this.#process);
  }

  run(args: readonly string[], env: Record<string, string>): Promise<Ended> {
    const ended = this.#last.then(() => this.#run(args, env));
    this.#last = ended.catch(() => {});
    return ended;
  }

  async #run(args: readonly string[], env: Record<string, string>): Promise<Ended> {
    const { said } = this.#process;
    const from = { stdout: said.stdout.length, stderr: said.stderr.length };
    const mark = `end of ${crypto.randomUUID()}: `;
    await this.#process.type(`${JSON.stringify({ args, env, mark })}\n`);
    const end = new RegExp(`${mark}(\\d)\n`);
    const [[, code]] = await Promise.all([
      this.#process.printed(end, "stdout"),
      this.#process.printed(end, "stderr"),
    ]);
    const cut = (name: "stdout" | "stderr") => said[name].slice(from[name], said[name].indexOf(mark));
    return { code: Number(code), stdout: cut("stdout"), stderr: cut("stderr") };
  }

  async end(): Promise<void> {
    await this.#process.closeInput();
    await this.#process.ended;
  }
}
