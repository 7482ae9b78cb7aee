/** A real browser over a web app that listens on loopback: Debian's chromium, driven by playwright-core. */
import { chromium, type Page } from "playwright-core";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { readConfig } from "../../lib/config.ts";
import type { Database } from "../../lib/database/port.ts";
import { createDesk } from "../../lib/desk.ts";
import { createWebApp } from "../../lib/web/app.ts";
import { serveWeb } from "../../lib/web/serve.ts";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Null: there is no browser here, and the suites that need one are skipped. */
export const BROWSER = PATHS.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}) ?? null;

export interface Look {
  dark?: boolean;
  width?: number;
  script?: boolean;
  /** The page's clock can be set forward. */
  clock?: boolean;
  /** Runs in the page before anything of its own. */
  before?: string;
}

export interface Visit {
  url: string;
  /** A new page of its own; what the browser complains of lands in `complaints`. */
  open(path: string, options?: Look): Promise<Page>;
  complaints: string[];
  /** Closes every page and forgets what was complained of. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

export async function visit(db: Database): Promise<Visit> {
  const config = readConfig({});
  const app = createWebApp({
    desk: createDesk({ db, config, analysts: createAnalysts(config) }),
    db,
    config,
    log: () => {},
    wake: () => Promise.resolve(),
    webhook: null,
    dispatcherTrouble: () => null,
  });
  const server = serveWeb(app, "127.0.0.1", 0, () => {});
  const browser = await chromium.launch({ executablePath: BROWSER ?? undefined, args: ["--no-sandbox"] });
  const complaints: string[] = [];
  return {
    url: server.url,
    complaints,
    async open(path, { dark = false, width = 1_200, script = true, clock = false, before = "" } = {}) {
      const context = await browser.newContext({
        colorScheme: dark ? "dark" : "light",
        viewport: { width, height: 900 },
        javaScriptEnabled: script,
      });
      if (clock) await context.clock.install();
      if (before) await context.addInitScript(before);
      const page = await context.newPage();
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("dialog", (dialog) => {
        complaints.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      await page.goto(`${server.url}${path}`);
      return page;
    },
    async leave() {
      await Promise.all(browser.contexts().map((context) => context.close()));
      complaints.length = 0;
    },
    async close() {
      await browser.close();
      await server.stop();
    },
  };
}
