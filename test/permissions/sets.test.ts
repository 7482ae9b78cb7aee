/** The permission sets and tasks of deno.json, against what the program says it needs. */
import { describe, expect, it } from "vitest";
import { endpointOf } from "../../lib/permissions/endpoints.ts";
import { PROGRAM } from "../../lib/permissions/flags.ts";
import { LIBRARY_NAMES, listNames, TERMINAL_NAMES } from "../../lib/permissions/names.ts";
import { listNeeds } from "../../lib/permissions/needs.ts";
import { SETTINGS } from "../../lib/settings.ts";

const ROOT = new URL("../../", import.meta.url);
const { permissions, tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
/** A list of nobody would mean Deno's own list of hosts (2.9.6), so a name that cannot exist stands there. */
const FROM_NOWHERE = ["none.invalid"];

describe("the permission sets", () => {
  it("let the program see its settings and the names it gives a reason for, and hide every other one", () => {
    expect(permissions.serve.env).toEqual({ allow: listNames("serve"), ignore: true });
    expect(permissions.desk.env).toEqual({ allow: listNames("desk"), ignore: true });
    expect(listNames("serve")).toEqual([...Object.keys(SETTINGS), ...Object.keys(LIBRARY_NAMES)].toSorted());
    expect(listNames("desk")).toEqual([...listNames("serve"), ...Object.keys(TERMINAL_NAMES)].toSorted());
  });

  it("grant the service the program, its folder, its page, a local database and the providers, and nothing else", () => {
    const { env: _env, ...rest } = permissions.serve;
    expect(rest).toEqual({
      net: [
        "127.0.0.1:8000",
        "127.0.0.1:5432",
        "localhost:5432",
        "generativelanguage.googleapis.com:443",
        "api.tavily.com:443",
        "api.telegram.org:443",
      ],
      read: { allow: [".nightdesk", ...PROGRAM].map((path) => `./${path}`), ignore: true },
      write: ["./.nightdesk"],
      sys: ["hostname"],
      import: FROM_NOWHERE,
    });
  });

  it("name what the defaults with keys need, but for the socket: a path that starts at the root has no place there", () => {
    const keys = { GEMINI_API_KEY: "k", TAVILY_API_KEY: "k", TELEGRAM_BOT_TOKEN: "1:k" };
    const needs = listNeeds(keys, { cwd: "/nd", realDataDir: "/nd/.nightdesk" });
    const hosts = needs.filter(({ kind, value }) => kind === "net" && !value.startsWith("unix:"));
    for (const { value } of hosts) expect(permissions.serve.net).toContain(value);
    expect(hosts).toHaveLength(4);
    expect(endpointOf(SETTINGS.TELEGRAM_API_ROOT.default)).toBe("api.telegram.org:443");
  });

  it("let a command read any file and reach any host that it is told to take in, but write to its folder only", () => {
    const { env: _env, ...rest } = permissions.desk;
    expect(rest).toEqual({
      read: true,
      net: true,
      write: ["./.nightdesk"],
      sys: ["hostname"],
      import: FROM_NOWHERE,
    });
  });

  it("let what works out the grants read and print: it can neither write nor connect", () => {
    expect(permissions.grants).toEqual({ env: true, read: true, import: FROM_NOWHERE });
  });

  it("are all that the tasks of an operator use, without questions on the terminal", () => {
    for (const name of ["start", "demo", "desk"]) {
      expect(tasks[name]).toMatch(/ --no-prompt (?:--env-file )?-P=/);
      expect(tasks[name]).not.toMatch(/-A|--allow-all|--allow-(?:run|ffi|import|sys)/);
    }
  });

  it("name only parts of the program that there are", async () => {
    for (const part of PROGRAM) expect((await Deno.stat(new URL(part, ROOT))).isSymlink).toBe(false);
  });
});
