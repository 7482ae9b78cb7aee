/**
 * Runs desk commands one after the other. A line of JSON on stdin is one of them; on both streams a mark follows what it
 * said, with its exit code. With the permissions and the settings that a process of its own would have.
 */
import { runCli } from "../../../lib/cli/main.ts";
import { readLines } from "../read_lines.ts";

for await (const line of readLines(Deno.stdin.readable)) {
  const { args, env, mark } = JSON.parse(line);
  for (const [name, value] of Object.entries<string>(env)) Deno.env.set(name, value);
  const code = await runCli(args);
  for (const name of Object.keys(env)) Deno.env.delete(name);
  const end = new TextEncoder().encode(`${mark}${code}\n`);
  Deno.stdout.writeSync(end);
  Deno.stderr.writeSync(end);
}
