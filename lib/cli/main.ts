/** `deno task desk <command>`. Exit code 0: done, 1: failed or not all done, 2: wrong usage. */
import { Command, CommanderError } from "commander";
import { isConnectionLost } from "../database/connection_lost.ts";
import { messageOf, UsageError, UserError } from "../errors.ts";
import { SETTINGS } from "../settings.ts";
import { addArticleCommands } from "./article_commands.ts";
import { withDesk } from "./context.ts";
import { addCostCommand } from "./cost_command.ts";
import { runDemo } from "./demo.ts";
import { note, print } from "./output.ts";
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
  addCostCommand(program);
  program.command("migrate").description("bring the database to this version")
    .action(() =>
      withDesk("migrate", ({ migrated, db }) => {
        print(migrated.length > 0 ? `Applied ${migrated.join(", ")}` : "Nothing to do");
        print(`Database: ${db.where}`);
        return Promise.resolve();
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
