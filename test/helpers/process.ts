/** Real processes for tests: started with a clean environment, watched by what they print, always ended. */
import { fromFileUrl } from "../../lib/database/paths.ts";
import { flagOf, listFlags } from "../../lib/permissions/flags.ts";
import { flagsOfPackages } from "../../lib/permissions/quick_start.ts";
import { listNamesWith } from "../../lib/permissions/names.ts";
import { dataDirOf, listNeeds } from "../../lib/permissions/needs.ts";
import { followLinks } from "../../lib/permissions/surroundings.ts";
import type { TestDatabase } from "./database.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
/** A line that has not come by now will not come. */
const WAIT_MS = 60_000;

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

type Stream = "stdout" | "stderr";

export interface RunningProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Resolves when either stream (or that one) has printed it; rejects when the process ends first, or says nothing of it. */
  printed(wanted: RegExp, stream?: Stream): Promise<RegExpExecArray>;
  /** Up to now. */
  readonly said: Readonly<Record<Stream, string>>;
  kill(signal: Deno.Signal): void;
  /** Writes to its stdin. */
  type(text: string): Promise<void>;
  /** Ends what the process reads from stdin. */
  closeInput(): Promise<void>;
}

/** What a program cannot do without, from this environment. */
function keptEnvironment(): Record<string, string> {
  return Object.fromEntries(["PATH", "HOME", "DENO_DIR", "DENO_V8_FLAGS", "TMPDIR"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

/** With the signal that ends them for certain. */
const running = new Map<RunningProcess, Deno.Signal>();

/** `deno run` with these arguments; only what it cannot do without is taken over from this environment. */
export function startDeno(args: readonly string[], env: Record<string, string> = {}): RunningProcess {
  return start(["run", "--quiet", ...flagsOfPackages(), ...args], env);
}

/** A task of deno.json. */
export function startTask(
  name: string,
  args: readonly string[],
  env: Record<string, string>,
): RunningProcess {
  // Killed, a task leaves behind what it started.
  return start(["task", "--quiet", name, ...args], env, "SIGTERM");
}

function start(
  args: readonly string[],
  env: Record<string, string>,
  endedBy: Deno.Signal = "SIGKILL",
): RunningProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    clearEnv: true,
    env: { ...keptEnvironment(), NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const said = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  const read = async (name: Stream) => {
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
    said,
    printed: (wanted, stream) =>
      new Promise((resolve, reject) => {
        const giveUp = (why: string) =>
          reject(new Error(`${why} without ${wanted}\n${said.stdout}\n${said.stderr}`));
        const timer = setTimeout(() => giveUp("Waited"), WAIT_MS);
        const look = () => {
          const match = stream
            ? wanted.exec(said[stream])
            : wanted.exec(said.stdout) ?? wanted.exec(said.stderr);
          if (!match) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        look();
        void ended.then(() => giveUp("Ended"));
      }),
    kill: (signal) => child.kill(signal),
    async type(text) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(text));
      writer.releaseLock();
    },
    closeInput: () => child.stdin.close(),
  };
  running.set(started, endedBy);
  return started;
}

/** Runs a program of test/helpers/children. */
export function startChild(name: string, env: Record<string, string>): RunningProcess {
  return startDeno(["-A", `test/helpers/children/${name}.ts`], env);
}

/** One desk command, with nothing to read from stdin. */
export function startDesk(args: readonly string[], env: Record<string, string>): RunningProcess {
  const started = startDeno(deskArguments(args, env), env);
  void started.closeInput();
  return started;
}

/** What `deno task desk` starts with these settings. */
export function deskArguments(args: readonly string[], env: Record<string, string>): string[] {
  return [...deskFlags(env), "lib/cli/main.ts", ...args];
}

/** The permissions among them. */
export function deskFlags(env: Record<string, string>): string[] {
  const names = flagOf("env", listNamesWith("desk", Object.keys(env)));
  return ["--no-prompt", "-P=desk", ...names, `--allow-write=${dataDirOf(env, ROOT)}`];
}

export async function desk(args: readonly string[], env: Record<string, string>): Promise<Ended> {
  return await startDesk(args, env).ended;
}

/** With the permissions that `deno task start` grants for these settings, and no others. */
export function startService(env: Record<string, string>): RunningProcess {
  const settings = { PORT: "0", ...env };
  return startDeno(serviceArguments(settings), settings);
}

/** What `deno task start` starts with these settings. */
export function serviceArguments(env: Record<string, string>): string[] {
  const dataDir = dataDirOf(env, ROOT);
  const needs = listNeeds({ ...keptEnvironment(), ...env }, { cwd: ROOT, realDataDir: followLinks(dataDir) });
  return [
    "--no-prompt",
    "-P=serve",
    ...listFlags({ needs, names: listNamesWith("serve", Object.keys(env)) }),
    `--allow-read=${dataDir}`,
    `--allow-write=${dataDir}`,
    `--allow-net=unix:${dataDir}/.s.PGSQL.5432`,
    "main.ts",
  ];
}

/** The settings that let another process reach a test's database. */
export function environmentOf({ databaseUrl, dataDir }: TestDatabase["settings"]): Record<string, string> {
  return databaseUrl === null ? { DATA_DIR: dataDir } : { DATA_DIR: dataDir, DATABASE_URL: databaseUrl };
}

/** From now on `endProcesses` leaves it alone: whoever keeps it ends it. */
export function keepRunning(started: RunningProcess): void {
  running.delete(started);
}

/** For `afterEach`: what a failed test left running must not disturb the next one. */
export async function endProcesses(): Promise<void> {
  const left = [...running];
  for (const [started, signal] of left) started.kill(signal);
  await Promise.all(left.map(([started]) => started.ended));
}
