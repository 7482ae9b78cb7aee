import { afterEach, expect, it } from "vitest";
import { endProcesses, startChild } from "./helpers/process.ts";

afterEach(() => endProcesses());

it("an error that nobody catches is logged without secrets, and ends the process only without the last resort", async () => {
  const { code, stdout, stderr } = await startChild("throw_uncaught", {}).ended;
  expect(stdout).toContain("still here");
  expect(stderr).toMatch(/"error":"a promise".*an error that nobody caught; the process goes on/);
  expect(stderr).toMatch(/"error":"a timer, with .*an error that nobody caught; the process goes on/);
  expect(stderr).not.toContain("hush-hush");
  expect([code, /the last one/.test(stderr)]).toEqual([1, true]);
});
