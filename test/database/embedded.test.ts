import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import { UserError } from "../../lib/errors.ts";
import { makeEmbeddedFolder } from "../helpers/embedded.ts";
import { type Ended, endProcesses, startChild } from "../helpers/process.ts";

const folders: string[] = [];

async function makeFolder(): Promise<string> {
  const folder = await makeEmbeddedFolder();
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  await endProcesses();
  for (const folder of folders.splice(0)) await Deno.remove(folder, { recursive: true });
});

function open(dataDir: string, role = "test") {
  return openDatabase({ databaseUrl: null, dataDir, role, onConnectionError: () => {} });
}

async function readWritten(
  dataDir: string,
): Promise<{ ownedBy: string | null; last: Record<string, number> }> {
  const { database, ownedBy } = await open(dataDir);
  const { rows } = await database.query<{ name: string; last: number; count: number }>(
    "SELECT name, max(n) AS last, count(*) AS count FROM written GROUP BY name",
  );
  await database.close();
  for (const { last, count } of rows) expect(count).toBe(last);
  return { ownedBy, last: Object.fromEntries(rows.map(({ name, last }) => [name, last])) };
}

function lastAcknowledged({ stdout }: Ended): number {
  return Number(stdout.match(/row (\d+)/g)?.at(-1)?.slice(4) ?? 0);
}

describe("a DATA_DIR", () => {
  it("is owned by the first process and joined by the second; both write", async () => {
    const dataDir = await makeFolder();
    const first = startChild("write_rows", { DATA_DIR: dataDir, NAME: "first" });
    await first.printed(/owns\n[^]*row 3\n/);
    const second = startChild("write_rows", { DATA_DIR: dataDir, NAME: "second" });
    await second.printed(/joined process \d+ \(first\)\n[^]*row 3\n/);
    second.kill("SIGKILL");
    first.kill("SIGKILL");
    const [a, b] = await Promise.all([first.ended, second.ended]);
    const { last } = await readWritten(dataDir);
    expect(last.first).toBeGreaterThanOrEqual(lastAcknowledged(a));
    expect(last.second).toBeGreaterThanOrEqual(lastAcknowledged(b));
  });

  it("whose owner was killed is owned by the next, who finds every acknowledged row and a dead socket", async () => {
    const dataDir = await makeFolder();
    const killed = startChild("write_rows", { DATA_DIR: dataDir, NAME: "killed" });
    await killed.printed(/row 50\n/);
    killed.kill("SIGKILL");
    const acknowledged = lastAcknowledged(await killed.ended);
    expect((await Deno.lstat(join(dataDir, ".s.PGSQL.5432"))).isSocket).toBe(true);
    const { ownedBy, last } = await readWritten(dataDir);
    expect(ownedBy).toBeNull();
    expect(last.killed).toBeGreaterThanOrEqual(acknowledged);
  });

  it("is closed to other users while it is open, and free again with no socket left behind when closed", async () => {
    const dataDir = await makeFolder();
    await Deno.chmod(dataDir, 0o755);
    for (let round = 0; round < 2; round++) {
      const { database, ownedBy } = await open(dataDir);
      expect(ownedBy).toBeNull();
      expect((await Deno.stat(dataDir)).mode! & 0o777).toBe(0o700);
      await database.close();
      expect([...Deno.readDirSync(dataDir)].some(({ name }) => name.startsWith(".s."))).toBe(false);
    }
  });

  it("rejects the queries of who joined when its owner is gone, instead of hanging", async () => {
    const dataDir = await makeFolder();
    const owner = startChild("open_database", { DATA_DIR: dataDir });
    await owner.printed(/"ownedBy":null/);
    const { database } = await open(dataDir);
    owner.kill("SIGKILL");
    await owner.ended;
    await expect(database.query("SELECT 1")).rejects.toThrow();
    await database.close();
  });
});

describe("a DATA_DIR that cannot be used is refused in one line", () => {
  const refuses = async (dataDir: string, wanted: RegExp) => {
    const error = await open(dataDir).then(() => null, (thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message).toMatch(wanted);
    expect(message).toContain(dataDir);
    expect(message).not.toContain("\n");
  };

  it("when it is a file", async () => {
    const file = await Deno.makeTempFile();
    await refuses(file, /must be a folder that you may write to/);
    await Deno.remove(file);
  });

  it("when nothing may be written there", () => refuses("/proc/nightdesk", /must be a folder that you may/));

  it("when its lock file cannot be opened", async () => {
    const dataDir = await makeFolder();
    await Deno.mkdir(join(dataDir, "owner.lock"));
    await refuses(dataDir, /Cannot lock DATA_DIR .* must be yours to write/);
  });

  it("when its path is too long for a socket", async () => {
    const dataDir = join(await makeFolder(), "x".repeat(100));
    await refuses(dataDir, /bytes long and the system takes 103.*shorter path/);
  });

  it("when what lies in it is no database, and it stays free for who mends it", async () => {
    const dataDir = await makeFolder();
    await Deno.rename(join(dataDir, "postgres"), join(dataDir, "moved"));
    await Deno.writeTextFile(join(dataDir, "postgres"), "not a folder");
    await refuses(dataDir, /Cannot open the embedded database/);
    await Deno.remove(join(dataDir, "postgres"));
    await Deno.rename(join(dataDir, "moved"), join(dataDir, "postgres"));
    const { database, ownedBy } = await open(dataDir);
    expect(ownedBy).toBeNull();
    await database.close();
  });
});
