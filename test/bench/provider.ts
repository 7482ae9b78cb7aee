/**
 * A Gemini for benches, in a process of its own: `deno run -A test/bench/provider.ts <latency ms> <quote>` prints its
 * address. A GET of that says how many requests it received; of /most, how many it had at once since it was last asked.
 *
 * It counts the bytes of a request instead of reading them, gives everybody the same answer, and sends that when the
 * latency has passed to a fraction of a millisecond: what a bench adds to the latency is then the desk's doing. (The
 * fakes of the tests read each request and wait with a timer of whole milliseconds; sixteen calls of 100 ms at once
 * took them 106 ms each, this one 102 to 103.)
 */
import { Buffer } from "node:buffer";
import net from "node:net";
import { setImmediate, setTimeout } from "node:timers";
import { geminiAnswer } from "../fakes/gemini.ts";
import { writePlausibleAnalysis } from "../fakes/plausible_analysis.ts";

/** Timers come late by up to about this much; the rest is waited for in turns of the event loop, ms. */
const TIMER_ERROR_MS = 2;

const [latencyText, quote] = Deno.args;
const latencyMs = Number(latencyText);
const CANNED = JSON.stringify(writePlausibleAnalysis("Blocks", quote));
const HEAD_END = Buffer.from("\r\n\r\n");

/** As Gemini answers a prompt of so many bytes. */
function writeAnswer(promptBytes: number, close: boolean): Buffer {
  const reply = geminiAnswer({ text: CANNED, promptBytes });
  const body = "body" in reply ? reply.body : "";
  const closing = close ? "connection: close\r\n" : "";
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${closing}content-length: ${
      Buffer.byteLength(body)
    }\r\n\r\n${body}`,
  );
}

/** Answers by size of the prompt: a bench's articles differ by a few bytes only. */
const answers = new Map<string, Buffer>();

function answerTo(promptBytes: number, close: boolean): Buffer {
  const key = `${promptBytes} ${close}`;
  let answer = answers.get(key);
  if (!answer) answers.set(key, answer = writeAnswer(promptBytes, close));
  return answer;
}

interface Due {
  at: number;
  socket: net.Socket;
  answer: Buffer;
  close: boolean;
}

/** First in, first out: all wait equally long. */
const waiting: Due[] = [];
let armed = false;

function answerInTime(due: Due): void {
  if (latencyMs === 0) return send(due);
  waiting.push(due);
  arm();
}

function arm(): void {
  if (armed || waiting.length === 0) return;
  armed = true;
  const leftMs = waiting[0].at - performance.now() - TIMER_ERROR_MS;
  if (leftMs > 1) setTimeout(sendDue, leftMs);
  else setImmediate(sendDue);
}

function sendDue(): void {
  armed = false;
  while (waiting.length > 0 && waiting[0].at <= performance.now()) send(waiting.shift()!);
  arm();
}

function send({ socket, answer, close }: Due): void {
  inFlight--;
  if (socket.destroyed) return;
  if (close) socket.end(answer);
  else socket.write(answer);
}

let received = 0;
let inFlight = 0;
let most = 0;

function tellCount(socket: net.Socket, ofMost: boolean): void {
  const body = String(ofMost ? most : received);
  if (ofMost) most = 0;
  socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
}

/** Requests of one connection, one after the other; their bodies have a length, as those of `fetch` and `http` do. */
function serve(socket: net.Socket): void {
  let head = Buffer.alloc(0);
  let body: { left: number; length: number; close: boolean } | null = null;
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    if (body) body.left -= chunk.length;
    else {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf(HEAD_END);
      if (end === -1) return;
      const text = head.toString("latin1", 0, end).toLowerCase();
      if (text.startsWith("get ")) return tellCount(socket, text.startsWith("get /most "));
      received++;
      const length = Number(/\ncontent-length: *(\d+)/.exec(text)?.[1] ?? 0);
      const left = length - (head.length - end - HEAD_END.length);
      body = { left, length, close: text.includes("\nconnection: close") };
      head = Buffer.alloc(0);
    }
    if (body.left > 0) return;
    const { length, close } = body;
    body = null;
    most = Math.max(most, ++inFlight);
    answerInTime({ at: performance.now() + latencyMs, socket, answer: answerTo(length, close), close });
  });
}

const server = net.createServer({ noDelay: true }, serve);
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as net.AddressInfo;
  console.log(`GEMINI_BASE_URL=http://127.0.0.1:${port}`);
});
