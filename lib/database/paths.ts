import { fileURLToPath } from "node:url";

/** The path of a `file:` URL, with what the URL escapes undone. */
export function fromFileUrl(url: URL): string {
  return fileURLToPath(url);
}
