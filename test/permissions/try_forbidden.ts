/**
 * Tries what the service must not be able to do, inside its own process: a test has it loaded before main.ts. Prints one
 * JSON line with what came of each try: `null` for done, else the error.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";

export interface Targets {
  /** Servers that somebody listens on: on this machine, on another address of it. */
  loopbackPort: number;
  otherPort: number;
  /** A file that anybody may read, and one that could be written. */
  file: string;
  newFile: string;
  /** Set in the environment of the process. */
  variable: string;
}

async function attempt(work: () => unknown): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return String(error);
  }
}

export async function tryForbidden(targets: Targets): Promise<void> {
  const { loopbackPort, otherPort, file, newFile, variable } = targets;
  const tries: Record<string, () => unknown> = {
    "read a file": () => Deno.readTextFile(file),
    "read a file as Node does": () => readFileSync(file, "utf8"),
    "read the settings file": () => Deno.readTextFile(".env.example"),
    "read the repository": () => Deno.readDirSync(".git").next(),
    "write a file": () => Deno.writeTextFile(newFile, ""),
    "write into the program": () => Deno.writeTextFile("lib/forbidden.ts", ""),
    "reach another port": () => Deno.connect({ hostname: "127.0.0.1", port: loopbackPort }),
    "reach another address": () => Deno.connect({ hostname: "127.0.0.2", port: otherPort }),
    "reach another address as Node does": () =>
      new Promise((resolve, reject) => {
        connect({ host: "127.0.0.2", port: otherPort }, () => resolve(null)).on("error", reject);
      }),
    "fetch from another address": () => fetch(`http://127.0.0.2:${otherPort}/`),
    "fetch from another host": () => fetch("https://other.example/"),
    "ask for a name": () => Deno.resolveDns("other.example", "A"),
    "reach another socket": () => Deno.connect({ transport: "unix", path: "/var/run/docker.sock" }),
    "listen on another port": () => Deno.listen({ hostname: "127.0.0.2", port: 0 }).close(),
    "run a program": () => new Deno.Command("true").outputSync(),
    "run a program as Node does": () => execFileSync("true"),
    "load a library": () => Deno.dlopen("libc.so.6", {}).close(),
    "import from elsewhere": () => import(`https://${"other.example"}/module.ts`),
    "know the system": () => Deno.osRelease(),
    "signal another process": () => Deno.kill(Deno.ppid, "SIGCONT"),
  };
  const outcomes: Record<string, string | null> = {};
  for (const [name, work] of Object.entries(tries)) outcomes[name] = await attempt(work);
  const asked = await Deno.permissions.request({ name: "run" });
  console.log(JSON.stringify({
    outcomes,
    asked: asked.state,
    variable: Deno.env.get(variable) ?? null,
    variableOfNode:
      (globalThis as unknown as { process: { env: Record<string, string> } }).process.env[variable] ??
        null,
    names: Object.keys(Deno.env.toObject()),
  }));
}
