/**
 * A process of its own that serves the copy in the folder it is given. PGlite computes on its thread until a statement
 * is done, no timeout reaches it and ending the thread does not stop it (Deno 2.9); only a process can be ended then.
 *
 * Tells on stdout, in one line, that it is ready or why not. When its stdin ends, which is also how it learns that the
 * notebook was killed, it removes the folder and ends.
 */
import { openEmbedded } from "../../lib/database/embedded/embedded.ts";
import { messageOf } from "../../lib/errors.ts";

/** First word of its line; what follows the other one is the reason. */
export const READY = "ready";
export const FAILED = "failed ";

async function serve(folder: string): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  // A notebook's "interrupt" is for its cell.
  Deno.addSignalListener("SIGINT", () => {});
  Deno.addSignalListener("SIGTERM", () => stopped.resolve());
  await openEmbedded(folder, "notebook", () => stopped.resolve());
  console.log(READY);
  const asked = (async () => {
    for await (const _ of Deno.stdin.readable);
  })();
  await Promise.race([asked, stopped.promise]);
  // Not closed: a statement may be at work, and nobody needs the files any more.
  Deno.removeSync(folder, { recursive: true });
}

if (import.meta.main) {
  try {
    await serve(Deno.args[0] ?? "");
    Deno.exit(0);
  } catch (error) {
    console.log(`${FAILED}${messageOf(error)}`);
    Deno.exit(1);
  }
}
