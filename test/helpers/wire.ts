/** PostgreSQL messages put together by hand, for clients that do what no library would do. */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { once } from "node:events";

export function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function message(letter: string, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(5 + body.length);
  bytes[0] = letter.charCodeAt(0);
  new DataView(bytes.buffer).setInt32(1, 4 + body.length);
  bytes.set(body, 5);
  return bytes;
}

export function query(text: string): Uint8Array {
  return message("Q", new TextEncoder().encode(`${text}\0`));
}

/** Parse of the unnamed statement. */
export function parse(text: string): Uint8Array {
  return message("P", new TextEncoder().encode(`\0${text}\0\0\0`));
}

export const STARTUP = startup("user\0postgres\0database\0postgres\0\0");
export const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47);

function startup(parameters: string): Uint8Array {
  const text = new TextEncoder().encode(parameters);
  const bytes = new Uint8Array(8 + text.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, bytes.length);
  view.setInt32(4, 196_608); // protocol 3.0
  bytes.set(text, 8);
  return bytes;
}

/** A connected socket that has said hello. */
export async function connectRaw(path: string): Promise<Socket> {
  const socket = connect(path);
  socket.on("error", () => {});
  await say(socket, STARTUP);
  return socket;
}

/** Sends and waits for some answer. */
export async function say(socket: Socket, bytes: Uint8Array): Promise<string> {
  const answered = once(socket, "data");
  socket.write(bytes);
  const [chunk] = await answered as [Uint8Array];
  return new TextDecoder().decode(chunk);
}
