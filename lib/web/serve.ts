/** Listens for the web app, and ends without leaving anybody hanging. */
import { messageOf, UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { WebApp } from "./app.ts";

/** How long answers that have begun may take at the end, ms; streams are told to end before. */
const GRACE_MS = 3_000;

export interface WebServer {
  /** Where it listens, `http://127.0.0.1:8000`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Throws `UserError` when the port is taken or may not be used. */
export function serveWeb(app: WebApp, host: string, port: number, log: Log): WebServer {
  const hard = new AbortController();
  try {
    const server = Deno.serve({
      hostname: host,
      port,
      signal: hard.signal,
      onListen: () => {},
      onError(error) {
        log("error", { error: messageOf(error) }, "a request failed outside of the app");
        return new Response(null, { status: 500 });
      },
    }, (request, info) => app.fetch(request, info.remoteAddr.hostname));
    const name = host.includes(":") ? `[${host}]` : host;
    return {
      url: `http://${name}:${server.addr.port}`,
      async stop() {
        app.endStreams();
        const cut = setTimeout(() => hard.abort(), GRACE_MS);
        await server.shutdown().finally(() => clearTimeout(cut));
      },
    };
  } catch (error) {
    throw new UserError(
      `Cannot listen on ${host}:${port}: ${messageOf(error)}. Choose another HOST or PORT`,
    );
  }
}
