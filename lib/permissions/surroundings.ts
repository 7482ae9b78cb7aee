/** What the needs depend on beside the settings: the file system. */
import { basename, dirname, join } from "node:path";

/** The path with its symbolic links followed, as far as it exists already. */
export function followLinks(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(followLinks(parent), basename(path));
  }
}
