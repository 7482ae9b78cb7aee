import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Frame, MessageFramer, readyStatus } from "../../lib/database/embedded/frame_messages.ts";
import { join, message, SSL_REQUEST, STARTUP } from "../helpers/wire.ts";

/** Every letter a client may send but X, which ends the conversation. */
const LETTERS = "QPBDECSHFdcfp";

const messages = fc.array(
  fc.tuple(fc.constantFrom(...LETTERS), fc.uint8Array({ maxLength: 300 })).map(([letter, body]) =>
    message(letter, body)
  ),
  { maxLength: 30 },
);

function read(chunks: readonly Uint8Array[]): Frame[] {
  const framer = new MessageFramer();
  return chunks.flatMap((chunk) => framer.push(chunk));
}

/** Cuts `stream` at the given places, which may fall together: empty chunks are part of the game. */
function cut(stream: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  return at.slice(1).map((end, index) => stream.slice(at[index], end));
}

describe("the framer", () => {
  it("yields the same units however the stream is cut into chunks", () => {
    fc.assert(fc.property(messages, fc.array(fc.nat()), fc.boolean(), (parts, places, encrypted) => {
      const stream = join(encrypted ? SSL_REQUEST : new Uint8Array(0), STARTUP, ...parts);
      expect(read(cut(stream, places))).toEqual(read([stream]));
    }));
  });

  it("loses and adds no byte: the units together are the stream up to the last message that ends one", () => {
    fc.assert(fc.property(messages, fc.array(fc.nat()), (parts, places) => {
      const whole = [STARTUP, ...parts, message("S")];
      const units = read(cut(join(...whole), places)).map((frame) => {
        if (frame.kind !== "unit") throw new Error(`unexpected ${frame.kind}`);
        return frame.bytes;
      });
      expect(join(...units)).toEqual(join(...whole));
    }));
  });

  it("keeps an extended statement together up to its Sync", () => {
    const unit = join(message("P"), message("B"), message("D"), message("E"), message("S"));
    expect(read([STARTUP, unit, message("Q")])).toEqual([
      { kind: "unit", bytes: STARTUP },
      { kind: "unit", bytes: unit },
      { kind: "unit", bytes: message("Q") },
    ]);
  });

  it("ignores what follows a farewell, also one in the middle of a statement", () => {
    const framer = new MessageFramer();
    framer.push(join(STARTUP, message("P")));
    expect(framer.push(join(message("X"), message("Q")))).toEqual([{ kind: "terminate" }]);
    expect(framer.push(message("Q"))).toEqual([]);
  });

  it("raises or waits on garbage, and never loops", () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (chunks) => {
      try {
        expect(read(chunks).length).toBeLessThanOrEqual(chunks.reduce((sum, chunk) => sum + chunk.length, 1));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }));
  });

  it("raises on a message longer than it is willing to keep, before the bytes arrive", () => {
    const framer = new MessageFramer();
    framer.push(STARTUP);
    expect(() => framer.push(Uint8Array.of("Q".charCodeAt(0), 0x7f, 0xff, 0xff, 0xff))).toThrow(/2147483647/);
    expect(() => new MessageFramer().push(new TextEncoder().encode("GET / HTTP/1.1\r\n"))).toThrow(
      RangeError,
    );
  });

  it("joins a long message once: thousands of chunks take no longer than their bytes", () => {
    const body = new Uint8Array(32 * 1024 * 1024);
    const stream = join(STARTUP, message("Q", body));
    const began = performance.now();
    const chunks = Array.from(
      { length: Math.ceil(stream.length / 8_192) },
      (_, n) => stream.subarray(n * 8_192, (n + 1) * 8_192),
    );
    expect(read(chunks)).toHaveLength(2);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe("the state after a unit", () => {
  it("is read from a closing ReadyForQuery only", () => {
    const ready = (state: string) => join(message("C"), message("Z", new TextEncoder().encode(state)));
    expect([..."ITE"].map((state) => readyStatus(ready(state)))).toEqual(["I", "T", "E"]);
    expect(readyStatus(message("1"))).toBeNull();
    expect(readyStatus(new Uint8Array(0))).toBeNull();
  });
});
