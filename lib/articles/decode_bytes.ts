/** How far into a document its own word on its encoding is looked for, in bytes (HTML asks for 1,024). */
const DECLARATION_BYTES = 1_024;

const XML_DECLARATION = /^\s*<\?xml[^>]*\bencoding\s*=\s*["']([\w:.-]+)["']/i;
const META_CHARSET = /<meta[^>]*\bcharset\s*=\s*["']?\s*([\w:.-]+)/i;

/**
 * Bytes -> text. The encoding is taken from a byte order mark, else `declared` (the HTTP header), else the XML
 * prolog or HTML meta element, else it is UTF-8, or Windows-1252 where that does not decode. Unknown names are
 * passed over and wrong bytes become U+FFFD: this never throws.
 */
export function decodeBytes(bytes: Uint8Array, declared: string | null): string {
  const name = encodingOfMark(bytes) ?? knownEncoding(declared) ?? knownEncoding(encodingInside(bytes));
  if (name) return new TextDecoder(name).decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

function encodingOfMark(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return null;
}

function encodingInside(bytes: Uint8Array): string | null {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, DECLARATION_BYTES));
  const declared = (XML_DECLARATION.exec(start) ?? META_CHARSET.exec(start))?.[1] ?? null;
  // A declaration that can be read byte by byte is not UTF-16, whatever it says.
  return declared && /^utf-?16/i.test(declared) ? "utf-8" : declared;
}

function knownEncoding(name: string | null): string | null {
  if (!name) return null;
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return null;
  }
}
