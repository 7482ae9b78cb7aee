/** What cost.ts reports, for a person and as JSON: a program of its own, because its tokenizer can be chosen there. */
import { fromFileUrl } from "../../lib/database/paths.ts";

const PROGRAM = fromFileUrl(new URL("./cost.ts", import.meta.url));

export async function reportCost(): Promise<{ text: string; json: unknown }> {
  const [text, json] = await Promise.all([runCost([]), runCost(["--json"])]);
  return { text, json: JSON.parse(json) };
}

async function runCost(args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", PROGRAM, ...args],
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout);
}
