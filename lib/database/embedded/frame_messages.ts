/**
 * Cuts the byte stream of a PostgreSQL client into units that may run on their own.
 *
 * PGlite is one backend. Statements of the extended protocol arrive as several messages (Parse, Bind, Describe,
 * Execute, Sync) that share the backend's unnamed statement and portal, so messages of two clients must never
 * be interleaved: a unit is everything up to the message after which the client waits for an answer.
 * Message format: https://www.postgresql.org/docs/15/protocol-message-formats.html
 */

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;

/** Messages after which a client waits: Query, Sync, Flush, FunctionCall, CopyDone, CopyFail. */
const ENDS_UNIT = new Set([..."QSHFcf"].map((letter) => letter.charCodeAt(0)));
const TERMINATE = "X".charCodeAt(0);

/** A message longer than this is refused, so that a broken client cannot fill the memory. 64 MiB. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

export type Frame =
  | { kind: "unit"; bytes: Uint8Array }
  /** The client asks for TLS or GSS; the answer is the single letter N. */
  | { kind: "refuse_encryption" }
  | { kind: "terminate" };

/** Reassembles frames from chunks. `push` throws `RangeError` for a stream that is not the protocol. */
export class MessageFramer {
  #buffer = new Uint8Array(0);
  /** Chunks that wait until, together with the buffer, they are `#wanted` bytes long. */
  #chunks: Uint8Array[] = [];
  #wanted = 8;
  #started = false;
  #ended = false;
  /** Bytes of complete messages that wait for the end of their unit. */
  #unitEnd = 0;

  push(chunk: Uint8Array): Frame[] {
    // Nothing that follows a farewell means anything.
    if (this.#ended) return [];
    if (!this.#collect(chunk)) return [];
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame; frame = this.#next()) {
      frames.push(frame);
      if (frame.kind === "terminate") {
        this.#ended = true;
        break;
      }
    }
    return frames;
  }

  /** Says whether there may be something new to read. A long message is joined once, not again at every chunk. */
  #collect(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk);
    const parts = [this.#buffer, ...this.#chunks];
    if (parts.reduce((sum, part) => sum + part.length, 0) < this.#wanted) return false;
    this.#buffer = concat(parts);
    this.#chunks = [];
    return true;
  }

  #next(): Frame | null {
    return this.#started ? this.#nextUnit() : this.#nextStartup();
  }

  #nextStartup(): Frame | null {
    if (this.#lacks(8)) return null;
    const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset);
    const length = view.getInt32(0);
    const code = view.getInt32(4);
    assertLength(length, 8);
    if (this.#lacks(length)) return null;
    if (code === SSL_REQUEST || code === GSS_REQUEST) {
      this.#take(length);
      return { kind: "refuse_encryption" };
    }
    // One backend serves everybody: there is nothing that a cancel request could cancel on its own.
    if (code === CANCEL_REQUEST) return { kind: "terminate" };
    this.#started = true;
    return { kind: "unit", bytes: this.#take(length) };
  }

  #nextUnit(): Frame | null {
    const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset);
    while (!this.#lacks(this.#unitEnd + 5)) {
      const length = view.getInt32(this.#unitEnd + 1);
      assertLength(length, 4);
      const end = this.#unitEnd + 1 + length;
      if (this.#lacks(end)) return null;
      const type = this.#buffer[this.#unitEnd];
      if (type === TERMINATE) return { kind: "terminate" };
      this.#unitEnd = end;
      if (ENDS_UNIT.has(type)) {
        this.#unitEnd = 0;
        return { kind: "unit", bytes: this.#take(end) };
      }
    }
    return null;
  }

  /** Notes how many bytes are needed before looking again is worth it. */
  #lacks(length: number): boolean {
    this.#wanted = length;
    return this.#buffer.length < length;
  }

  #take(length: number): Uint8Array {
    const taken = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.slice(length);
    return taken;
  }
}

/**
 * What the backend says it is in after a unit: I idle, T in a transaction, E in a failed one, or null when the
 * answer does not end with ReadyForQuery (the unit ended with Flush and the client has more to send).
 */
export function readyStatus(answer: Uint8Array): "I" | "T" | "E" | null {
  const at = answer.length - 6;
  if (at < 0 || answer[at] !== "Z".charCodeAt(0) || answer[at + 4] !== 5) return null;
  const status = String.fromCharCode(answer[at + 5]);
  return status === "I" || status === "T" || status === "E" ? status : null;
}

function assertLength(length: number, least: number): void {
  if (length < least || length > MAX_MESSAGE_BYTES) {
    throw new RangeError(`Not a PostgreSQL client: a message of ${length} bytes`);
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
