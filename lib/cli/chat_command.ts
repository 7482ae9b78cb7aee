/** `desk chat`: the bot in the terminal, with this process at work on sessions unless a service is. */
import type { Command } from "commander";
import pc from "picocolors";
import { isService } from "../batches/worker/presence.ts";
import { listSecrets } from "../config.ts";
import { createScrubber } from "../log.ts";
import type { Runtime } from "../runtime.ts";
import { ACTOR, type Context, withDesk } from "./context.ts";
import { count, note } from "./output.ts";

/** How often somebody looks whether a service still works, ms. */
const LOOK_MS = 5_000;

export function addChatCommand(program: Command): void {
  program.command("chat").description("the Telegram bot in this terminal, without Telegram")
    .action(() => withDesk("chat", chat));
}

/** The bot is loaded here only: no other command needs it, and nothing in lib/ may depend on it. */
async function chat(context: Context): Promise<void> {
  const [{ runConsole }, { openTerminal }, { drawnPictures }] = await Promise.all([
    import("../../bot/console.ts"),
    import("../../bot/console/terminal.ts"),
    import("../../bot/draw_pictures.ts"),
  ]);
  const { desk, db, config, log } = context;
  const crew = await gatherCrew(context);
  const leave = onInterrupt();
  const terminal = openTerminal({ prompt: "> ", scrub: createScrubber(listSecrets(config)) });
  try {
    await runConsole({
      desk,
      db,
      config,
      log,
      actor: ACTOR,
      pictures: drawnPictures,
      wake: () => Promise.resolve(crew.wake()),
      terminal,
      colors: pc.createColors(pc.isColorSupported && Deno.stdout.isTerminal()),
      intro: [crew.intro, "/help lists the commands, a number presses a button, quit leaves."],
      leave: leave.signal,
    });
  } finally {
    // Before anything is said about an error: the line that was being typed goes.
    terminal.close();
    const underWay = crew.holding();
    if (underWay > 0) {
      note(`${count(underWay, "article")} under way; answers that are paid for are still taken in.`);
    }
    leave.stop();
    crew.dismiss();
  }
  const [left] = (await desk.sessions(50)).filter(({ status }) => status === "PROCESSING");
  if (left && crew.worksHere()) {
    note(`Session ${left.number} is not done. It goes on with the service, or with the next desk chat.`);
  }
}

interface Crew {
  intro: string;
  wake(): void;
  worksHere(): boolean;
  /** Articles under way here. */
  holding(): number;
  dismiss(): void;
}

/** Works here unless a service does; takes over when the service is gone. */
async function gatherCrew({ desk, work, config }: Context): Promise<Crew> {
  const served = async () => (await desk.workers()).some(isService);
  let runtime: Runtime | null = null;
  const takeOver = async () => {
    if (!runtime && !await served()) runtime = await work();
  };
  await takeOver();
  // An outage shows itself to whoever types next; here it only means "not now".
  const timer = setInterval(() => void takeOver().catch(() => {}), LOOK_MS);
  const analyst = config.analyst === "offline" ? "the offline analyst" : config.gemini.model;
  return {
    intro: runtime ? `Nightdesk with ${analyst}.` : "Nightdesk. The service is running and does the work.",
    wake: () => runtime?.worker.wake(),
    worksHere: () => runtime !== null,
    holding: () => runtime?.worker.holding ?? 0,
    dismiss: () => clearInterval(timer),
  };
}

/** The first Ctrl-C (or SIGTERM) is a wish, the second one an order. */
function onInterrupt() {
  const leave = new AbortController();
  let firstAt = 0;
  const listener = () => {
    // A task runner in the same terminal passes the signal on: the same key press then arrives twice.
    if (leave.signal.aborted && performance.now() - firstAt > 1_000) Deno.exit(130);
    if (!leave.signal.aborted) firstAt = performance.now();
    leave.abort();
  };
  const signals: Deno.Signal[] = ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, listener);
  return {
    signal: leave.signal,
    stop() {
      for (const signal of signals) Deno.removeSignalListener(signal, listener);
    },
  };
}
