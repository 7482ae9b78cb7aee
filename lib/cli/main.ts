/** `deno task desk <command>`. Exit code 0: done, 1: failed or not all done, 2: wrong usage. */
import { Command, CommanderError } from "commander";
import { prepareDispatch } from "../../jobs/queue/open_dispatcher.ts";
import { isConnectionLost } from "../database/connection_lost.ts";
import { messageOf, UsageError, UserError } from "../errors.ts";
import { SETTINGS } from "../settings.ts";
import { addAlertCommands } from "./alert_commands.ts";
import { addArticleCommands } from "./article_commands.ts";
import { addChatCommand } from "./chat_command.ts";
import { withDesk } from "./context.ts";
import { addCostCommand } from "./cost_command.ts";
import { runDemo } from "./demo.ts";
import { addJobCommands } from "./job_commands.ts";
import { note, print } from "./output.ts";
import { addRecoverCommand } from "./recover_command.ts";
import { addRepairCommands } from "./repair_commands.ts";
import { addServeCommand } from "./serve_command.ts";
import { addSessionCommands } from "./session_commands.ts";

export type ExitCode = 0 | 1 | 2;

/** Runs one command line and returns its exit code. Nothing that a person did wrong shows a stack trace. */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = buildProgram((ended) => code = ended);
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof UserError) {
      note(error.message);
      return error instanceof UsageError ? 2 : 1;
    }
    if (isConnectionLost(error)) {
      note(
        `Lost the database: ${messageOf(error)}. The process that owned it ended, or the server went away. ` +
          "Nothing is lost: run the command again; go on with a session that is still live with: deno task desk resume <n>",
      );
      return 1;
    }
    note(`Nightdesk failed in a way that it should not: ${messageOf(error)}`);
    if (Deno.env.get("LOG_LEVEL") === "debug" && error instanceof Error) note(error.stack ?? "");
    else note("Run it again with LOG_LEVEL=debug to see where. Nothing that was paid for is lost.");
    return 1;
  }
}

function buildProgram(done: (code: ExitCode) => void): Command {
  const program = new Command("desk")
    .description("Analyse newsletter articles in batches, under a hard budget.")
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ writeErr: (text) => note(text.trimEnd()), writeOut: (text) => print(text.trimEnd()) })
    .addHelpText("after", `\nSettings (environment):\n${describeSettings()}`);
  addArticleCommands(program, done);
  addSessionCommands(program, done);
  addRecoverCommand(program, done);
  addRepairCommands(program, done);
  addCostCommand(program);
  addAlertCommands(program);
  addChatCommand(program);
  addServeCommand(program);
  addJobCommands(program);
  program.command("migrate").description("bring the database to this version")
    .action(() =>
      withDesk("migrate", async ({ migrated, db, config, log }) => {
        const queue = await prepareDispatch({ db, config, log });
        const applied = [...migrated, ...queue ? [queue] : []];
        print(applied.length > 0 ? `Applied ${applied.join(", ")}` : "Nothing to do");
        print(`Database: ${db.where}`);
      })
    );
  program.command("demo").description("a whole session on the sample articles, no key needed").action(
    runDemo,
  );
  return program;
}

function describeSettings(): string {
  return Object.entries(SETTINGS).map(([name, { default: fallback, help }]) =>
    `  ${name.padEnd(24)} ${help}${fallback ? ` (${fallback})` : ""}`
  ).join("\n");
}

if (import.meta.main) {
  const code = await runCli(Deno.args);
  Deno.exit(code);
}
