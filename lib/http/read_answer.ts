/**
 * Reads one HTTP/1.1 answer (RFC 9112) from a connection that serves no other. Strict: what is not plainly such an answer
 * is an error, and nothing is guessed.
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** Gives what arrived next; null at the end. */
export type Read = () => Promise<Bytes | null>;

export interface AnswerHead {
  status: number;
  headers: Headers;
}

/** Bytes of all header lines together. */
const MAX_HEAD_BYTES = 64 * 1024;

const LINE_FEED = 10;
const EMPTY = new Uint8Array();
const latin1 = new TextDecoder("latin1");

/** What has arrived and was not looked at yet. */
export class Arrived {
  readonly #read: Read;
  #bytes: Bytes = EMPTY;

  constructor(read: Read) {
    this.#read = read;
  }

  /** Up to `most` bytes, as many as are there, at least one; null at the end. */
  async piece(most: number): Promise<Bytes | null> {
    return await this.#fill() ? this.#take(most) : null;
  }

  /** A line without its end. Throws when the answer ends in it, or it takes more than `most` bytes. */
  async line(most: number): Promise<string> {
    let text = "";
    while (true) {
      if (this.#bytes.length === 0 && !await this.#fill()) throw new Error("the answer ended in a line");
      const end = this.#bytes.indexOf(LINE_FEED);
      text += latin1.decode(this.#take(end < 0 ? Infinity : end + 1));
      if (text.length > most) throw new Error("a line is too long");
      if (end >= 0) return text.slice(0, text.endsWith("\r\n") ? -2 : -1);
    }
  }

  /** Waits until something is there; false at the end. */
  async #fill(): Promise<boolean> {
    while (this.#bytes.length === 0) {
      const next = await this.#read();
      if (next === null) return false;
      this.#bytes = next;
    }
    return true;
  }

  #take(most: number): Bytes {
    const piece = this.#bytes.subarray(0, most);
    this.#bytes = this.#bytes.subarray(piece.length);
    return piece;
  }
}

/** Status and headers of the final answer. Throws for what is not HTTP/1.1. */
export async function readHead(arrived: Arrived): Promise<AnswerHead> {
  while (true) {
    const status = Number(/^HTTP\/1\.[01] ([1-9]\d\d)(?: |$)/.exec(await arrived.line(MAX_HEAD_BYTES))?.[1]);
    if (!status || status === 101) throw new Error("this is no HTTP/1.1 answer");
    const headers = await readHeaders(arrived);
    // Others announce that the answer will come.
    if (status >= 200) return { status, headers };
  }
}

async function readHeaders(arrived: Arrived): Promise<Headers> {
  const headers = new Headers();
  let left = MAX_HEAD_BYTES;
  while (true) {
    const line = await arrived.line(left);
    if (line === "") return headers;
    left -= line.length;
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error("a header has no name");
    // Throws for a name that is none, a folded line among them.
    headers.append(line.slice(0, colon), line.slice(colon + 1));
  }
}

/** The body, in pieces and unpacked. Throws when it breaks off. */
export function readPieces({ status, headers }: AnswerHead, arrived: Arrived): AsyncIterable<Bytes> {
  const pieces = status === 204 || status === 304 ? readCounted(arrived, 0) : readFramed(headers, arrived);
  const packed = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (packed === "identity") return pieces;
  // Asked for as it is, but a server may do as it likes.
  if (packed !== "gzip" && packed !== "deflate") throw new Error("packed in an unknown way");
  return ReadableStream.from(pieces as AsyncIterable<Uint8Array<ArrayBuffer>>)
    .pipeThrough(new DecompressionStream(packed));
}

function readFramed(headers: Headers, arrived: Arrived): AsyncIterable<Bytes> {
  const coding = headers.get("transfer-encoding")?.trim().toLowerCase();
  const length = headers.get("content-length");
  if (coding !== undefined) {
    if (coding !== "chunked" || length !== null) throw new Error("the end of the body is not known");
    return readChunked(arrived);
  }
  if (length === null) return readToEnd(arrived);
  if (!/^\d{1,15}$/.test(length)) throw new Error("the length of the body is no number");
  return readCounted(arrived, Number(length));
}

async function* readToEnd(arrived: Arrived): AsyncGenerator<Bytes> {
  while (true) {
    const piece = await arrived.piece(Infinity);
    if (piece === null) return;
    yield piece;
  }
}

async function* readCounted(arrived: Arrived, length: number): AsyncGenerator<Bytes> {
  for (let left = length; left > 0;) {
    const piece = await arrived.piece(left);
    if (piece === null) throw new Error("the body ended too early");
    left -= piece.length;
    yield piece;
  }
}

async function* readChunked(arrived: Arrived): AsyncGenerator<Bytes> {
  while (true) {
    const size = /^([\da-f]{1,8})[ \t]*(?:;.*)?$/i.exec(await arrived.line(MAX_HEAD_BYTES))?.[1];
    if (size === undefined) throw new Error("the size of a chunk is no number");
    const length = parseInt(size, 16);
    if (length === 0) break;
    yield* readCounted(arrived, length);
    if (await arrived.line(2) !== "") throw new Error("a chunk is longer than it says");
  }
  await readHeaders(arrived);
}
