/**
 * Prints what a task of deno.json puts before the program that it starts:
 *
 *     print.ts folder   DATA_DIR as an absolute path, for quoted flags: it may have spaces
 *     print.ts serve    flags for the service: the hosts, files and names of its settings
 *     print.ts desk     flags for a command: the names of its settings
 *     print.ts demo     flags for the demo: no host at all
 *
 * It runs under a set of its own that can read and print but neither write nor connect. Faulty settings are not its
 * business: the program tells them. Every start waits for this, so it imports next to nothing.
 */
import { flagOf, listFlags } from "./flags.ts";
import { listNamesWith } from "./names.ts";
import { dataDirOf, type Environment, listDemoNeeds, listNeeds } from "./needs.ts";
import { quickStartFlags } from "./quick_start.ts";
import { followLinks } from "./surroundings.ts";

function toPrint(what: string, env: Environment): string[] {
  const cwd = Deno.cwd();
  const dataDir = dataDirOf(env, cwd);
  const names = Object.keys(env);
  switch (what) {
    case "folder":
      // Deno takes a comma for the end of a path, so this one cannot be granted; the program tells it.
      return [dataDir.includes(",") ? dataDirOf({}, cwd) : dataDir];
    case "serve":
      return [
        ...quickStartFlags(),
        ...listFlags({
          needs: listNeeds(env, { cwd, realDataDir: followLinks(dataDir) }),
          names: listNamesWith("serve", names),
        }),
      ];
    case "desk":
      return [...quickStartFlags(), ...flagOf("env", listNamesWith("desk", names))];
    case "demo":
      // What is not the demo's business looks as if it were not there; a library looks around when it starts.
      return [
        ...quickStartFlags(),
        "--ignore-read",
        ...listFlags({ needs: listDemoNeeds(followLinks(dataDir), dataDir), names: [] }),
      ];
    default:
      throw new TypeError(`wanted folder, serve, desk or demo, got ${what}`);
  }
}

console.log(toPrint(Deno.args[0], Deno.env.toObject()).join(" "));
