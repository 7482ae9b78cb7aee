/** `desk serve`: the service, as `deno task start` starts it, or a part of it. */
import type { Command } from "commander";
import { parseRole, ROLES } from "../role.ts";

export function addServeCommand(program: Command): void {
  program.command("serve").description("start the service; several may share one DATABASE_URL")
    .option("--role <role>", `${ROLES.join(", ")}: everything, analysing only, or pages and bot only`, "all")
    .action(async ({ role }: { role: string }) => {
      const parsed = parseRole(role);
      // Only here: loading it registers the crons.
      const { serve } = await import("../../main.ts");
      await serve(parsed);
    });
}
