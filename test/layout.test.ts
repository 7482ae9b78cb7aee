/** Which part of the program may import which: read from the files, so that a new way in fails here first. */
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { fromFileUrl } from "../lib/database/paths.ts";

const ROOT = fromFileUrl(new URL("../", import.meta.url)).replace(/\/$/, "");

/**
 * The parts, and which others each imports as it runs. "lib" is its single files, open to all: the small ones (money, log,
 * errors …), and those that put the folders together (desk.ts, runtime.ts …). Types alone are free: they are gone when
 * the program runs. Commands are the other way into the program beside main.ts: some run jobs, one serves, one chats.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "main.ts": ["bot", "jobs", "lib/web", "lib/alerts", "lib/analysis", "lib/database", "lib/permissions"],
  "lib/cli": [
    "main.ts",
    "bot",
    "jobs",
    "lib/alerts",
    "lib/analysis",
    "lib/articles",
    "lib/batches",
    "lib/crons",
    "lib/database",
  ],
  "bot": ["lib/alerts", "lib/articles", "lib/batches", "lib/budget", "lib/charts", "lib/database"],
  "jobs": ["lib/alerts", "lib/articles", "lib/batches", "lib/crons", "lib/database"],
  "lib": [
    "lib/alerts",
    "lib/articles",
    "lib/batches",
    "lib/budget",
    "lib/crons",
    "lib/permissions",
  ],
  "lib/web": ["lib/articles", "lib/batches", "lib/budget", "lib/charts", "lib/database"],
  "notebooks": ["lib/analysis", "lib/articles", "lib/batches", "lib/budget", "lib/charts", "lib/database"],
  "lib/batches": ["lib/alerts", "lib/analysis", "lib/budget", "lib/database"],
  "lib/alerts": ["lib/articles", "lib/budget", "lib/crons", "lib/http"],
  "lib/analysis": ["lib/http"],
  "lib/articles": [],
  "lib/budget": [],
  "lib/charts": [],
  "lib/crons": [],
  "lib/database": [],
  "lib/http": [],
  "lib/permissions": [],
};

interface Import {
  from: string;
  to: string;
}

/** Static imports and re-exports, and `import()`; not those of types. */
const STATEMENTS =
  /^(?:import|export)\s+(?!type\b)([^;"]*?)\s*from\s*"(\.[^"]+)"|^import\s+"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm;

function readImports(file: string, text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return [...code.matchAll(STATEMENTS)].flatMap(([, names, from, bare, lazy]) => {
    if (names !== undefined && importsTypesOnly(names)) return [];
    const to = join(dirname(file), from ?? bare ?? lazy);
    return to.endsWith(".ts") ? [{ from: file, to }] : [];
  });
}

/** `{ type A, type B }` */
function importsTypesOnly(names: string): boolean {
  const [, list] = /^\{([^}]*)\}$/.exec(names) ?? [];
  const each = list?.split(",").map((name) => name.trim()).filter((name) => name !== "");
  return each !== undefined && each.length > 0 && each.every((name) => name.startsWith("type "));
}

function partOf(file: string): string {
  const [top, folder, ...rest] = file.split("/");
  if (top !== "lib") return top;
  return rest.length > 0 ? `lib/${folder}` : "lib";
}

function* listFiles(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(join(ROOT, folder))) {
    const path = join(folder, name);
    if (isDirectory) yield* listFiles(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

/** What a part may not import; imports inside a part are its own affair. */
function findTrespasses(imports: readonly Import[]): string[] {
  return imports.filter(({ from, to }) => {
    const [own, other] = [partOf(from), partOf(to)];
    return own !== other && other !== "lib" && !MAY_IMPORT[own]?.includes(other);
  }).map(({ from, to }) => `${from} imports ${to}`);
}

/** The first circle of imports that there is, in order; null: none. */
function findCircle(imports: readonly Import[]): string[] | null {
  const next = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (at: string): string[] | null => {
    if (path.includes(at)) return [...path.slice(path.indexOf(at)), at];
    if (done.has(at)) return null;
    path.push(at);
    for (const { to } of next.get(at) ?? []) {
      const circle = visit(to);
      if (circle) return circle;
    }
    path.pop();
    done.add(at);
    return null;
  };
  for (const file of next.keys()) {
    const circle = visit(file);
    if (circle) return circle;
  }
  return null;
}

const files = ["main.ts", ...["bot", "jobs", "lib", "notebooks"].flatMap((folder) => [...listFiles(folder)])];
const imports = files.flatMap((file) => readImports(file, Deno.readTextFileSync(join(ROOT, file))));
const betweenParts = Object.entries(MAY_IMPORT).flatMap(([from, parts]) => parts.map((to) => ({ from, to })));

describe("imports", () => {
  it("go only where the list of parts says that they may, and the list says nothing that nobody needs", () => {
    expect(files.length).toBeGreaterThan(300);
    expect(imports.length).toBeGreaterThan(1_000);
    for (const { to } of imports) expect(() => Deno.statSync(join(ROOT, to)), to).not.toThrow();
    expect(findTrespasses(imports)).toEqual([]);
    const needed = new Set(imports.map(({ from, to }) => `${partOf(from)} ${partOf(to)}`));
    expect(betweenParts.filter(({ from, to }) => !needed.has(`${from} ${to}`))).toEqual([]);
  });

  it("make no circle, of files as they run or of parts", () => {
    // The single files of lib/ stand above some parts and below others; as files they are looked at one by one.
    expect(findCircle(betweenParts.filter(({ from }) => from !== "lib"))).toBeNull();
    expect(findCircle(imports)).toBeNull();
  });

  it("are found in every form, and types do not count", () => {
    const text = `import { a } from "./a.ts";
import type { T } from "./t.ts";
import { type T, type U } from "./t.ts";
import { type T, b } from "../http/b.ts";
import c, * as d from "./c.ts";
export { e } from "./e.ts";
export * from "./f.ts";
export type { T } from "./t.ts";
import "./g.ts";
import {
  h,
  type I,
} from "./h.ts";
// import { no } from "./no.ts";
/* import { no } from "./no.ts"; */
import other from "npm";
const j = await import("./j.ts");
`;
    expect(readImports("lib/x/y.ts", text).map(({ to }) => to)).toEqual([
      "lib/x/a.ts",
      "lib/http/b.ts",
      "lib/x/c.ts",
      "lib/x/e.ts",
      "lib/x/f.ts",
      "lib/x/g.ts",
      "lib/x/h.ts",
      "lib/x/j.ts",
    ]);
  });

  it("that go the wrong way or round in a circle are told by name", () => {
    const wrong = { from: "lib/budget/estimate.ts", to: "lib/web/app.ts" };
    expect(findTrespasses([...imports, wrong])).toEqual(["lib/budget/estimate.ts imports lib/web/app.ts"]);
    expect(findTrespasses([{ from: "lib/brand_new/a.ts", to: "lib/web/app.ts" }])).toHaveLength(1);
    const circle = [{ from: "a", to: "b" }, { from: "x", to: "b" }, { from: "b", to: "c" }, {
      from: "c",
      to: "b",
    }];
    expect(findCircle(circle)).toEqual(["b", "c", "b"]);
  });
});
