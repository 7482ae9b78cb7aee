import { expect, it } from "vitest";
import { SETTINGS } from "../lib/settings.ts";

const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));

it("the README lists every setting with its default and meaning, and no other", () => {
  const listed = [...readme.matchAll(/^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\| (.*) \|$/gm)]
    .map(([, name, fallback = "", help]) => ({ name, fallback, help }));
  expect(listed).toEqual(
    Object.entries(SETTINGS).map(([name, { default: fallback, help }]) => ({ name, fallback, help })),
  );
});

it("the README names only tasks that exist", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  for (const [, task] of readme.matchAll(/deno(?:@[\d.]+)? task ([\w:]+)/g)) {
    expect(Object.keys(tasks)).toContain(task);
  }
});
