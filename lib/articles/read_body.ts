import type { IncomingMessage } from "node:http";
import { Buffer } from "node:buffer";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { Readable } from "node:stream";

/**
 * Reads the body of an answer, decompressed, up to `maxBytes` of what comes out: a small gzip may hold gigabytes.
 * Returns null when there is more. Rejects when the connection breaks or the compression is damaged.
 */
export async function readBody(response: IncomingMessage, maxBytes: number): Promise<Uint8Array | null> {
  const stream = decompressed(response);
  const chunks: Uint8Array[] = [];
  let total = 0;
  // Leaving the loop early destroys the stream, and with it the connection.
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    total += chunk.length;
    if (total > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function decompressed(response: IncomingMessage): Readable {
  const encoding = (response.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding === "identity" || encoding === "") return response;
  const unpack = encoding === "gzip" || encoding === "x-gzip"
    ? createGunzip()
    : encoding === "deflate"
    ? createInflate()
    : encoding === "br"
    ? createBrotliDecompress()
    : null;
  if (!unpack) throw new Error(`content encoding "${encoding.slice(0, 40)}"`);
  response.on("error", (error) => unpack.destroy(error));
  return response.pipe(unpack);
}
