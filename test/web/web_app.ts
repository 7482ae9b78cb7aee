/** A web app over a test's database, asked without a socket. */
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import type { Session } from "../../lib/batches/types.ts";
import { type Config, readConfig } from "../../lib/config.ts";
import type { Database } from "../../lib/database/port.ts";
import { createDesk } from "../../lib/desk.ts";
import { createWebApp } from "../../lib/web/app.ts";

export const TOKEN = "token-of-the-tests-0123456789";

export interface TestWeb {
  /** Asks as a program on the same machine does, unless headers say otherwise. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  request(request: Request): Promise<Response>;
  /** Sessions that the app asked to be worked on. */
  woken: Session[];
  lines: { level: string; fields: Record<string, unknown>; message: string }[];
  config: Config;
  endStreams(): void;
}

export interface WebOptions {
  change?: Partial<Config>;
  webhook?: (request: Request) => Promise<Response>;
  dispatcherTrouble?: () => string | null;
  wake?: () => Promise<void>;
}

export function makeWeb(db: Database, options: WebOptions = {}): TestWeb {
  const config = { ...readConfig({ API_TOKEN: TOKEN, BATCH_DELAY_SECONDS: "0" }), ...options.change };
  const woken: Session[] = [];
  const lines: TestWeb["lines"] = [];
  const app = createWebApp({
    desk: createDesk({ db, config, analysts: createAnalysts(config) }),
    db,
    config,
    log: (level, fields, message) => void lines.push({ level, fields, message }),
    wake: options.wake ?? ((session) => Promise.resolve(void woken.push(session))),
    webhook: options.webhook ?? null,
    dispatcherTrouble: options.dispatcherTrouble ?? (() => null),
  });
  const request = (asked: Request) => app.fetch(asked, "127.0.0.1");
  return {
    woken,
    config,
    lines,
    request,
    endStreams: app.endStreams,
    get: (path, headers = {}) =>
      request(
        new Request(`http://127.0.0.1:8000${path}`, { headers: { host: "127.0.0.1:8000", ...headers } }),
      ),
    post: (path, body, headers = {}) =>
      request(
        new Request(`http://127.0.0.1:8000${path}`, {
          method: "POST",
          body: body === undefined ? undefined : JSON.stringify(body),
          headers: {
            host: "127.0.0.1:8000",
            authorization: `Bearer ${TOKEN}`,
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...headers,
          },
        }),
      ),
  };
}

/** The JSON of an answer, which must have this status. */
export async function readJson(answer: Response, status = 200): Promise<Record<string, unknown>> {
  const text = await answer.text();
  if (answer.status !== status) throw new Error(`Wanted ${status}, got ${answer.status}: ${text}`);
  return JSON.parse(text);
}
