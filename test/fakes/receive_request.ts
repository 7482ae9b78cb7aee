/** Puts the chunks of a connection together to HTTP/1.1 requests: bodies of a known length, and chunked ones. */
import { Buffer } from "node:buffer";

export interface ReceivedRequest {
  method: string;
  path: string;
  headers: Headers;
  /** As text. */
  body: string;
  /** As it came, for uploads. */
  bytes: Uint8Array;
}

/**
 * Returns a function that takes the next chunk and gives the request that it completes, or null. A client that waits
 * for answers never sends two requests at once.
 * @param onHead Called once a request as soon as its head is there. What it returns takes the request's place.
 */
export function createReceiver<Early>(
  onHead: (head: { path: string }) => Early | null,
): (chunk: Buffer) => { request: ReceivedRequest } | { early: Early } | null {
  let chunks: Buffer[] = [];
  let head: Head | null = null;
  let size = 0;
  return (chunk) => {
    chunks.push(chunk);
    size += chunk.length;
    if (!head) {
      head = readHead(Buffer.concat(chunks));
      if (!head) return null;
      const early = onHead({ path: head.path });
      if (early) return { early };
    }
    if (head.length !== null && size < head.end + head.length) return null;
    const rest = Buffer.concat(chunks).subarray(head.end);
    const bytes = head.length === null ? joinChunks(rest) : rest;
    if (!bytes) return null;
    const { method, path, headers } = head;
    [chunks, head, size] = [[], null, 0];
    return { request: { method, path, headers, bytes, body: bytes.toString("utf8") } };
  };
}

interface Head {
  method: string;
  path: string;
  headers: Headers;
  /** Where the body begins. */
  end: number;
  /** Bytes of the body; null: chunked. */
  length: number | null;
}

function readHead(received: Buffer): Head | null {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd === -1) return null;
  const [requestLine = "", ...fields] = received.subarray(0, headEnd).toString("latin1").split("\r\n");
  const [method = "", path = ""] = requestLine.split(" ");
  const headers = new Headers(fields.map((field): [string, string] => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon), field.slice(colon + 1).trim()];
  }));
  const chunked = headers.get("transfer-encoding")?.toLowerCase() === "chunked";
  const length = chunked ? null : Number(headers.get("content-length") ?? 0);
  return { method, path, headers, end: headEnd + 4, length };
}

/** The body without its chunk heads; null while the last chunk is missing. Trailers are not expected. */
function joinChunks(rest: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  let at = 0;
  while (true) {
    const lineEnd = rest.indexOf("\r\n", at);
    if (lineEnd === -1) return null;
    const length = Number.parseInt(rest.subarray(at, lineEnd).toString("latin1"), 16);
    const next = lineEnd + 2 + length + 2;
    if (rest.length < next) return null;
    if (length === 0) return Buffer.concat(parts);
    parts.push(rest.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = next;
  }
}
