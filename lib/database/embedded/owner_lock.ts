/**
 * The lock that makes one process the owner of a DATA_DIR. PGlite itself lets two processes open the same files
 * at once and ruin them. The kernel drops the lock when the process ends, however it ends.
 */
import { join } from "node:path";

export interface OwnerLock {
  release(): void;
}

interface Owner {
  pid: number;
  /** What the owner said it is: "service" or the desk command. */
  role: string;
}

const LOCK_FILE = "owner.lock";

/** Takes the lock, or returns null when another process has it. `role` is told to those who come second. */
export function takeOwnerLock(dataDir: string, role: string): OwnerLock | null {
  const file = Deno.openSync(join(dataDir, LOCK_FILE), {
    create: true,
    read: true,
    write: true,
    mode: 0o600,
  });
  if (!file.tryLockSync(true)) {
    file.close();
    return null;
  }
  file.truncateSync(0);
  file.writeSync(new TextEncoder().encode(JSON.stringify({ pid: Deno.pid, role } satisfies Owner)));
  return {
    release() {
      file.unlockSync();
      file.close();
    },
  };
}

/** Who holds the lock, in words for a message: "process 4711 (service)". */
export function describeOwner(dataDir: string): string {
  const owner = readOwner(dataDir);
  return owner ? `process ${owner.pid} (${owner.role})` : "another process";
}

/** As far as the lock file tells; null when it tells nothing. */
function readOwner(dataDir: string): Owner | null {
  try {
    const owner: unknown = JSON.parse(Deno.readTextFileSync(join(dataDir, LOCK_FILE)));
    if (typeof owner !== "object" || owner === null) return null;
    const { pid, role } = owner as Partial<Owner>;
    return typeof pid === "number" && typeof role === "string" ? { pid, role } : null;
  } catch {
    return null;
  }
}
