/**
 * COPY … FROM STDIN would end the embedded database: PGlite takes a COPY whose data is not there yet for a client
 * that hung up, and exits. A CopyFail placed where the data would stand turns it into an error of that statement;
 * outside a COPY the backend ignores the message (https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-COPY).
 */
const REASON = "the embedded database takes no COPY FROM STDIN; use INSERT, or a PostgreSQL server";
const SYNC = Uint8Array.of("S".charCodeAt(0), 0, 0, 0, 4);
const COPY_FAIL = makeCopyFail();

/** The unit with a CopyFail behind its statements, before a closing Sync. */
export function refuseCopy(unit: Uint8Array): Uint8Array {
  // Only the startup message has no letter in front.
  if (unit[0] === 0) return unit;
  const end = endsWithSync(unit) ? unit.length - SYNC.length : unit.length;
  const guarded = new Uint8Array(unit.length + COPY_FAIL.length);
  guarded.set(unit.subarray(0, end));
  guarded.set(COPY_FAIL, end);
  guarded.set(unit.subarray(end), end + COPY_FAIL.length);
  return guarded;
}

function endsWithSync(unit: Uint8Array): boolean {
  const tail = unit.subarray(-SYNC.length);
  return SYNC.every((byte, index) => tail[index] === byte);
}

function makeCopyFail(): Uint8Array {
  const text = new TextEncoder().encode(`${REASON}\0`);
  const message = new Uint8Array(5 + text.length);
  message[0] = "f".charCodeAt(0);
  new DataView(message.buffer).setInt32(1, 4 + text.length);
  message.set(text, 5);
  return message;
}
