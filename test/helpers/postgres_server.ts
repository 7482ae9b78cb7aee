/**
 * A PostgreSQL server of one's own, thrown away at the end: for tests that stop and restart it. It listens on a free
 * port of 127.0.0.1 and lives in a temporary folder.
 */
import { join } from "node:path";

export interface PostgresServer {
  /** Of its database "postgres", which the tests may fill. */
  url: string;
  start(): Promise<void>;
  /** "immediate" cuts everything off as a crash would; the next start recovers. */
  stop(how: "immediate" | "fast"): Promise<void>;
  /** Stops it for good and removes its files. */
  remove(): Promise<void>;
}

/**
 * The programs of the newest installed version; null when none is installed, or when TEST_POSTGRES says no: whoever runs
 * the suites on a server afterwards does not want those that start one of their own twice.
 */
export function findPostgresPrograms(): string | null {
  if (Deno.env.get("TEST_POSTGRES") === "no") return null;
  const versions = listFolder("/usr/lib/postgresql").map(Number).filter((version) => version >= 15);
  const folders = [
    ...versions.sort((a, b) => b - a).map((version) => `/usr/lib/postgresql/${version}/bin`),
    ...(Deno.env.get("PATH") ?? "").split(":"),
  ];
  return folders.find((folder) =>
    ["initdb", "pg_ctl", "postgres"].every((name) => isFile(join(folder, name)))
  ) ??
    null;
}

/** Throws when there are no programs of PostgreSQL, or when they fail; the message has what they said. */
export async function startPostgresServer(): Promise<PostgresServer> {
  const programs = findPostgresPrograms();
  if (!programs) throw new Error("Cannot start a server: no programs of PostgreSQL 15 or newer found");
  const folder = await Deno.makeTempDir({ prefix: "nd-server-" });
  const data = join(folder, "data");
  const port = findFreePort();
  // The server refuses to run as root.
  const asOther = Deno.uid() === 0 ? ["runuser", "-u", "postgres", "--"] : [];
  if (asOther.length > 0) await run(["chown", "postgres", folder]);
  const control = (...args: string[]) =>
    run([...asOther, join(programs, "pg_ctl"), "-D", data, "-w", ...args]);
  await run([...asOther, join(programs, "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"]);
  const server: PostgresServer = {
    // Nobody asks for the password; without one in the address it would be looked for in the files of the user.
    url: `postgres://postgres:unasked@127.0.0.1:${port}/postgres`,
    start: () =>
      control(
        "-l",
        join(folder, "log"),
        "-o",
        `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1`,
        "start",
      ),
    stop: (how) => control("-m", how, "stop"),
    async remove() {
      // It may be away already.
      await server.stop("immediate").catch(() => {});
      await Deno.remove(folder, { recursive: true });
    },
  };
  await server.start();
  return server;
}

async function run(command: string[]): Promise<void> {
  const [program = "", ...args] = command;
  // A server that is started here keeps the pipes of its starter: read to files they would never end.
  const { success, code } = await new Deno.Command(program, {
    args,
    stdout: "null",
    stderr: "null",
    cwd: "/",
  })
    .output();
  if (!success) throw new Error(`${command.join(" ")} ended with ${code}`);
}

function findFreePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

function listFolder(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
