/** The ways to the embedded database: its socket, and for its owner alone a message port. */
import type { Socket } from "node:net";
import { join } from "node:path";
import type { ClientConfig } from "pg";
import { UserError } from "../../errors.ts";
import { PortStream } from "./port_stream.ts";
import type { ToWorker } from "./server_worker.ts";

/** `pg` and psql look for this name in the folder that is given as host. */
const SOCKET_NAME = ".s.PGSQL.5432";
const SOCKET_PORT = 5432;
/** sun_path holds 108 bytes with its final zero on Linux, 104 on macOS. */
const MAX_SOCKET_PATH_BYTES = 103;

/** Without it the database works, but for this process alone: nobody else can join. */
export function mayUseSocket(socketPath: string): boolean {
  return Deno.permissions.querySync({ name: "net", host: `unix:${socketPath}` }).state === "granted";
}

export function connectionThrough(server: Worker): ClientConfig {
  return {
    ...connectionTo(SOCKET_NAME),
    stream: () => {
      const { port1, port2 } = new MessageChannel();
      server.postMessage({ kind: "client", port: port2 } satisfies ToWorker, [port2]);
      return new PortStream(port1) as unknown as Socket;
    },
  };
}

export function connectionTo(socketPath: string): ClientConfig {
  return {
    host: socketPath.slice(0, -SOCKET_NAME.length - 1),
    // Not what PGPORT says of another server.
    port: SOCKET_PORT,
    user: "postgres",
    database: "postgres",
    ssl: false,
  };
}

/** `pg` takes a host for a socket's folder only when it is an absolute path, and the kernel limits its length. */
export function socketPathOf(dataDir: string): string {
  const path = join(Deno.realPathSync(dataDir), SOCKET_NAME);
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= MAX_SOCKET_PATH_BYTES) return path;
  throw new UserError(
    `Cannot open a socket in DATA_DIR ${dataDir}: its full path is ${bytes} bytes long and the system takes ` +
      `${MAX_SOCKET_PATH_BYTES}. Choose a DATA_DIR with a shorter path`,
  );
}
