/** The fake provider in a process of its own, so that it does not compute on the bench's thread. */
import { BENCH_QUOTE } from "./databases.ts";
import { fromFileUrl } from "../../lib/database/paths.ts";

export interface FakeProvider {
  geminiUrl: string;
  /** How many requests it had at once since it was last asked. */
  countMost(): Promise<number>;
  stop(): Promise<void>;
}

export async function startFakes(latencyMs: number): Promise<FakeProvider> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      fromFileUrl(new URL("./provider.ts", import.meta.url)),
      String(latencyMs),
      BENCH_QUOTE,
    ],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const geminiUrl = await readUrl(child.stdout);
  return {
    geminiUrl,
    countMost: async () => Number(await (await fetch(`${geminiUrl}/most`)).text()),
    async stop() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

async function readUrl(stdout: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  const reader = stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (true) {
    const { value, done } = await reader.read();
    text += value ?? "";
    const url = /GEMINI_BASE_URL=(\S+)/.exec(text)?.[1];
    if (url) {
      // Read on in the background: a full pipe would stop the fake.
      void (async () => {
        while (!(await reader.read()).done);
      })();
      return url;
    }
    if (done) throw new Error("the fake provider did not start");
  }
}
