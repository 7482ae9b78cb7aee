/** The fake providers in a process of their own, so that they do not compute on the bench's thread. */
import { fromFileUrl } from "../../lib/database/paths.ts";

export interface FakeProviders {
  geminiUrl: string;
  stop(): Promise<void>;
}

export async function startFakes(latencyMs: number): Promise<FakeProviders> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      fromFileUrl(new URL("../fakes/main.ts", import.meta.url)),
      "--canned",
      "--latency",
      String(latencyMs),
    ],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const geminiUrl = await readUrl(child.stdout);
  return {
    geminiUrl,
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
    if (done) throw new Error("the fake providers did not start");
  }
}
