/**
 * `DATABASE_URL=postgres://… deno run -A test/deploy/main.ts [--articles folder] [--instances 3] [--minute ms] [--life ms]`:
 * a session in the shape of Deno Deploy, in earnest. Prints the report as JSON.
 */
import { parseArgs } from "node:util";
import { databaseOn, onServer } from "../helpers/template.ts";
import { runOnDeploy } from "./run_on_deploy.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    articles: { type: "string" },
    "made-up": { type: "string", default: "0" },
    instances: { type: "string", default: "3" },
    minute: { type: "string", default: "60000" },
    life: { type: "string", default: "60000" },
    mean: { type: "string", default: "1500" },
    limit: { type: "string", default: "200" },
  },
});
const server = Deno.env.get("DATABASE_URL");
if (!server) throw new Error("wanted DATABASE_URL, a server on which a database can be made");
const name = `nd_deploy_${Deno.pid}`;
await onServer(server, `CREATE DATABASE ${name}`);
const dataDir = await Deno.makeTempDir({ prefix: "nd-deploy-" });
try {
  const report = await runOnDeploy({
    database: { databaseUrl: databaseOn(server, name), dataDir },
    folder: values.articles ?? null,
    madeUp: Number(values["made-up"]),
    instances: Number(values.instances),
    minuteMs: Number(values.minute),
    lifeMs: Number(values.life),
    withinMs: 3_600_000,
    seed: "deploy",
    mix: { failed: 10, overloaded: 10, reset: 5 },
    meanMs: Number(values.mean),
    settings: { BATCH_BUDGET_USD: "10", MAX_SESSION_ARTICLES: values.limit, MAX_ATTEMPTS: "6" },
    say: (line) => console.error(line),
  });
  console.log(JSON.stringify(report, null, 2));
} finally {
  await onServer(server, `DROP DATABASE ${name} WITH (FORCE)`);
  await Deno.remove(dataDir, { recursive: true });
}
