import net from "node:net";
import { Api, GrammyError, HttpError } from "grammy";
import { afterEach, describe, expect, it } from "vitest";
import { explainFailure } from "../../bot/call_outcome.ts";
import { NotSentError, telegramFetch, withoutToken } from "../../bot/telegram_fetch.ts";
import { endProcesses, startDeno } from "../helpers/process.ts";
import { startWireServer, type WireReply, type WireServer } from "../fakes/wire_server.ts";

const TOKEN = "7001002003:AAabcdefghijklmnopqrstuvwxyz012345678";
const SENT: WireReply = {
  kind: "answer",
  status: 200,
  body: JSON.stringify({ ok: true, result: { message_id: 1, date: 1, chat: { id: 5, type: "private" } } }),
};

let server: WireServer | undefined;
afterEach(async () => {
  await endProcesses();
  await server?.close();
});

async function apiAgainst(script: (count: number) => WireReply, timeoutSeconds = 5): Promise<Api> {
  let count = 0;
  // As some gateways do: asked to close, it keeps the connection for the next request.
  server = await startWireServer(() => script(++count), { ignoreClose: true });
  return new Api(TOKEN, { apiRoot: server.url, fetch: telegramFetch, timeoutSeconds });
}

/** Bytes only: what happens before there is HTTP. */
async function startTcp(
  serve: (socket: net.Socket) => void,
): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<net.Socket>();
  const tcp = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  return {
    port: (tcp.address() as net.AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => tcp.close(() => resolve()));
    },
  };
}

/** What a call fails with, seen in every way in which it might be shown. */
async function failureOf(call: Promise<unknown>): Promise<{ error: unknown; shown: string }> {
  const error = await call.then(() => null, (thrown) => thrown);
  expect(error).toBeInstanceOf(Error);
  const inner = error instanceof HttpError ? error.error : null;
  const shown = [error, inner, (inner as Error | null)?.cause].flatMap((one) =>
    one instanceof Error ? [one.message, one.stack, Deno.inspect(one)] : [String(one)]
  ).join("\n");
  return { error, shown };
}

describe("a call to the Bot API", () => {
  it("is one request on a connection of its own, and its answer is read", async () => {
    const api = await apiAgainst(() => SENT);
    for (let n = 0; n < 3; n++) expect((await api.sendMessage(5, "hi")).message_id).toBe(1);
    expect(server?.count).toBe(3);
    expect(server?.requests.map(({ turn }) => turn)).toEqual([1, 1, 1]);
  });

  it.each(["reset", "close"] as const)(
    "whose answer is lost (%s) is not sent again, and may have arrived",
    async (kind) => {
      const api = await apiAgainst((count) => count % 2 === 0 ? { kind } : SENT);
      await api.sendMessage(5, "first");
      const { error } = await failureOf(api.sendMessage(5, "second"));
      expect(explainFailure(error).kind).toBe("unknown");
      expect(server?.count).toBe(2);
    },
  );

  it("that is answered too late is given up once, and may have arrived", async () => {
    const api = await apiAgainst(() => ({ kind: "silent" }), 1);
    const { error } = await failureOf(api.sendMessage(5, "hi"));
    expect(explainFailure(error)).toMatchObject({ kind: "unknown" });
    expect(server?.count).toBe(1);
  });

  it("that found nobody was certainly not sent", async () => {
    const away = await startWireServer(() => SENT);
    await away.close();
    for (const apiRoot of [away.url, "http://nobody.invalid"]) {
      const api = new Api(TOKEN, { apiRoot, fetch: telegramFetch, timeoutSeconds: 5 });
      const { error } = await failureOf(api.sendMessage(5, "hi"));
      expect((error as HttpError).error).toBeInstanceOf(NotSentError);
      expect(explainFailure(error).kind).toBe("not_sent");
    }
  });

  it("that failed while it was being connected was certainly not sent, whatever the failure looks like", async () => {
    // Takes the connection and resets it in the TLS handshake.
    const resetting = await startTcp((socket) => socket.once("data", () => socket.resetAndDestroy()));
    const silent = await startTcp(() => {});
    for (const [port, timeoutSeconds] of [[resetting.port, 5], [silent.port, 1]]) {
      const stop = AbortSignal.timeout(timeoutSeconds * 500);
      const call = telegramFetch(`https://127.0.0.1:${port}/bot${TOKEN}/sendMessage`, {
        method: "POST",
        body: "{}",
        signal: stop,
      });
      const error = await call.then(() => null, (thrown) => thrown);
      expect(error).toBeInstanceOf(NotSentError);
    }
    await Promise.all([resetting.close(), silent.close()]);
  });

  it("that a proxy refuses to connect was certainly not sent", async () => {
    const proxy = await startTcp((socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"))
    );
    const child = startDeno(["-A", "test/helpers/children/call_telegram.ts"], {
      BOT_API: "https://telegram.invalid",
      BOT_TOKEN: TOKEN,
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
    });
    await child.printed(/failed with NotSentError/);
    await child.ended;
    await proxy.close();
  });

  it.each([
    [{ error_code: 429, description: "Too Many Requests: retry after 7", parameters: { retry_after: 7 } }, {
      kind: "later",
      retryAfterMs: 7_000,
    }],
    [{ error_code: 400, description: "Bad Request: message is not modified: …" }, { kind: "unchanged" }],
    [{ error_code: 400, description: "Bad Request: message to edit not found" }, { kind: "gone" }],
    [{ error_code: 403, description: "Forbidden: bot was blocked by the user" }, {
      kind: "refused",
      movedTo: null,
    }],
    [{
      error_code: 400,
      description: "Bad Request: group chat was upgraded to a supergroup chat",
      parameters: { migrate_to_chat_id: -1001 },
    }, { kind: "refused", movedTo: -1001 }],
    [{ error_code: 500, description: "Internal Server Error" }, { kind: "unknown" }],
  ])("refused with %j is told apart", async (answer, wanted) => {
    const api = await apiAgainst(() => ({
      kind: "answer",
      status: answer.error_code,
      body: JSON.stringify({ ok: false, ...answer }),
    }));
    const { error } = await failureOf(api.editMessageText(5, 1, "hi"));
    expect(error).toBeInstanceOf(GrammyError);
    expect(explainFailure(error)).toMatchObject(wanted);
  });

  it("never shows the token in what fails, wherever one looks", async () => {
    const replies: WireReply[] = [
      { kind: "reset" },
      { kind: "close" },
      { kind: "silent" },
      { kind: "answer", status: 502, body: "<html>bad gateway</html>" },
      { kind: "answer", status: 200, body: '{"ok": tr' },
      {
        kind: "answer",
        status: 404,
        body: JSON.stringify({ ok: false, error_code: 404, description: `Not Found: /bot${TOKEN}/x` }),
      },
    ];
    for (const reply of replies) {
      const api = await apiAgainst(() => reply, 1);
      const { error, shown } = await failureOf(api.sendMessage(5, "hi"));
      expect(JSON.stringify(explainFailure(error))).not.toContain("AAabc");
      if (!(error instanceof GrammyError)) expect(shown).not.toContain("AAabc");
      await server?.close();
      server = undefined;
    }
  });
});

it("a token is cut out of any text", () => {
  expect(withoutToken(`failed: https://api.telegram.org/bot${TOKEN}/sendMessage (${TOKEN})`)).toBe(
    "failed: https://api.telegram.org/bot[token]/sendMessage ([token])",
  );
  expect(withoutToken("article 12 at 12:30")).toBe("article 12 at 12:30");
});

it("a picture is uploaded whole", async () => {
  const { InputFile } = await import("grammy");
  const api = await apiAgainst(() => SENT);
  const png = crypto.getRandomValues(new Uint8Array(50_000));
  await api.sendPhoto(5, new InputFile(png, "spend.png"), { caption: "hi" });
  const [{ headers, body }] = server!.requests;
  expect(headers.get("content-type")).toMatch(/^multipart\/form-data; boundary=/);
  expect(headers.has("content-length")).toBe(true);
  expect(body).toContain("spend.png");
});

it("no trace shows the token, though the runtime traces requests", async () => {
  const exported: string[] = [];
  const collector = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    exported.push(await request.text());
    return Response.json({});
  });
  server = await startWireServer(() => ({
    kind: "answer",
    status: 200,
    body: JSON.stringify({
      ok: true,
      result: { id: 1, is_bot: true, first_name: "N", username: "traced_bot" },
    }),
  }));
  const child = startDeno(["-A", "test/helpers/children/call_telegram.ts"], {
    BOT_API: server.url,
    BOT_TOKEN: TOKEN,
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
    OTEL_BSP_SCHEDULE_DELAY: "100",
    OTEL_DENO_CONSOLE: "ignore",
  });
  await child.printed(/called/);
  await expect.poll(() => exported.join("\n"), { timeout: 30_000 }).toContain("/botcontrol/getMe");
  expect(exported.join("\n")).not.toContain("AAabc");
  await child.closeInput();
  await child.ended;
  await collector.shutdown();
});
