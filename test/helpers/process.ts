/** Real processes for tests: started with a clean environment, watched by what they print, always ended. */
import { fromFileUrl } from "../../lib/database/paths.ts";
import type { TestDatabase } from "./database.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
/** A line that has not come by now will not come. */
const WAIT_MS = 25_000;

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunningProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Resolves when either stream has printed it; rejects when the process ends first, or says nothing of it. */
  printed(wanted: RegExp): Promise<void>;
  kill(signal: Deno.Signal): void;
  /** Ends what the process reads from stdin. */
  closeInput(): Promise<void>;
}

const running = new Set<RunningProcess>();

/** `deno run` with these arguments; only what it cannot do without is taken over from this environment. */
export function startDeno(args: readonly string[], env: Record<string, string> = {}): RunningProcess {
  const kept = ["PATH", "HOME", "DENO_DIR", "TMPDIR"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...args],
    cwd: ROOT,
    clearEnv: true,
    env: { ...Object.fromEntries(kept), NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const said = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  const read = async (name: "stdout" | "stderr") => {
    for await (const text of child[name].pipeThrough(new TextDecoderStream())) {
      said[name] += text;
      listeners.forEach((listener) => listener());
    }
  };
  const ended = Promise.all([child.status, read("stdout"), read("stderr")]).then(([{ code }]) => {
    running.delete(started);
    return { code, ...said };
  });
  const started: RunningProcess = {
    pid: child.pid,
    ended,
    printed: (wanted) =>
      new Promise((resolve, reject) => {
        const giveUp = (why: string) =>
          reject(new Error(`${why} without ${wanted}\n${said.stdout}\n${said.stderr}`));
        const timer = setTimeout(() => giveUp("Waited"), WAIT_MS);
        const look = () => {
          if (!wanted.test(said.stdout) && !wanted.test(said.stderr)) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        void ended.then(() => giveUp("Ended"));
      }),
    kill: (signal) => child.kill(signal),
    closeInput: () => child.stdin.close(),
  };
  running.add(started);
  return started;
}

/** Runs a program of test/helpers/children. */
export function startChild(name: string, env: Record<string, string>): RunningProcess {
  return startDeno(["-A", `test/helpers/children/${name}.ts`], env);
}

/** One desk command, with nothing to read from stdin. */
export function startDesk(args: readonly string[], env: Record<string, string>): RunningProcess {
  const started = startDeno(["-P=desk", "lib/cli/main.ts", ...args], env);
  void started.closeInput();
  return started;
}

export async function desk(args: readonly string[], env: Record<string, string>): Promise<Ended> {
  return await startDesk(args, env).ended;
}

export function startService(env: Record<string, string>): RunningProcess {
  return startDeno(["-P=serve", "main.ts"], env);
}

/** The settings that let another process reach a test's database. */
export function environmentOf({ databaseUrl, dataDir }: TestDatabase["settings"]): Record<string, string> {
  return databaseUrl === null ? { DATA_DIR: dataDir } : { DATA_DIR: dataDir, DATABASE_URL: databaseUrl };
}

/** For `afterEach`: what a failed test left running must not disturb the next one. */
export async function endProcesses(): Promise<void> {
  const left = [...running];
  for (const started of left) started.kill("SIGKILL");
  await Promise.all(left.map((started) => started.ended));
}
