/** Over TLS: the certificate is checked, and one more can be trusted as everywhere in Deno (DENO_CERT). */
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromFileUrl } from "../../lib/database/paths.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const SEND = fromFileUrl(new URL("../../lib/http/send_once.ts", import.meta.url));

describe.skipIf(!hasOpenssl)("a server with a certificate of its own", () => {
  let folder: string;
  let listener: Deno.TlsListener;

  beforeAll(() => {
    folder = Deno.makeTempDirSync();
    const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
    const key = ["-newkey", "rsa:2048", "-nodes"];
    openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca");
    openssl("req", ...key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost");
    Deno.writeTextFileSync(
      join(folder, "names"),
      "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n",
    );
    const sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
    openssl("x509", "-req", "-in", "request.pem", ...sign, "-out", "cert.pem");
    listener = Deno.listenTls({
      port: 0,
      hostname: "127.0.0.1",
      cert: Deno.readTextFileSync(join(folder, "cert.pem")),
      key: Deno.readTextFileSync(join(folder, "key.pem")),
      alpnProtocols: ["http/1.1"],
    });
    void answerAll(listener);
  });
  afterAll(() => {
    listener.close();
    Deno.removeSync(folder, { recursive: true });
  });

  /** From a process of its own: Deno reads DENO_CERT at its start. */
  async function ask(host: string, env: Record<string, string>): Promise<unknown> {
    const { port } = listener.addr as Deno.NetAddr;
    const url = `https://${host}:${port}/`;
    const code = `import { sendOnce } from ${JSON.stringify(SEND)};
      const signal = new AbortController().signal;
      const { kind, body, detail } = await sendOnce({ url: ${
      JSON.stringify(url)
    }, headers: {}, body: "x".repeat(40_000), timeoutMs: 30_000, signal, direct: true });
      console.log(JSON.stringify({ kind, body, detail }));`;
    const net = `--allow-net=${host}:${port}`;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", net, "--allow-read", "-"],
      env,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const input = command.stdin.getWriter();
    await input.write(new TextEncoder().encode(code));
    await input.close();
    const { stdout } = await command.output();
    return JSON.parse(new TextDecoder().decode(stdout));
  }

  it("is asked when it is trusted, with nothing granted but its name", async () => {
    const answer = await ask("localhost", { DENO_CERT: join(folder, "ca.pem") });
    expect(answer).toMatchObject({ kind: "answered", body: "40000" });
  });

  it("is sent nothing when it is not, or is somebody else", async () => {
    const detail = expect.stringContaining("certificate");
    expect(await ask("localhost", {})).toMatchObject({ kind: "not_sent", detail });
    const wrongName = await ask("127.0.0.1", { DENO_CERT: join(folder, "ca.pem") });
    expect(wrongName).toMatchObject({ kind: "not_sent", detail });
  });
});

/** Answers with the length of the body. */
async function answerAll(listener: Deno.TlsListener): Promise<void> {
  for await (const conn of listener) {
    void (async () => {
      let text = "";
      const buffer = new Uint8Array(100_000);
      while (!/\r\n\r\nx{40000}$/.test(text)) {
        const length = await conn.read(buffer).catch(() => null);
        if (length === null) return;
        text += new TextDecoder().decode(buffer.subarray(0, length));
      }
      await conn.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n40000"));
    })();
  }
}
