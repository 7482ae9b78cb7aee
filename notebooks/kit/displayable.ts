/** What Jupyter shows: a value that can say itself in several media types, of which a viewer takes the best it can. */

/** The name that the kernel looks for. */
export const DISPLAY = Symbol.for("Jupyter.display");

export interface MediaBundle {
  "text/plain": string;
  "text/html"?: string;
  /** Base64. */
  "image/png"?: string;
}

export interface Displayable {
  [DISPLAY](): MediaBundle | Promise<MediaBundle>;
  /** What a viewer should know about the output, by media type. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export function displayable(bundle: MediaBundle): Displayable {
  return { [DISPLAY]: () => bundle };
}

/**
 * The kernel (Deno 2.9) passes outputs and the end of a cell on two ways of their own, and who executes notebooks
 * without a screen stops listening at the end: an output that comes after it is lost. So a cell ends a little later,
 * and each output says which one of how many it is (`PART`), for whoever must be sure that none is missing.
 */
const LAST_OUTPUT_MS = 100;
export const PART = "nightdesk";

/** Shows one thing after the other, one at least; outside Jupyter their plain texts. */
export async function show(...things: readonly [Displayable, ...Displayable[]]): Promise<void> {
  const jupyter = isJupyter();
  for (const [index, thing] of things.entries()) {
    const data = await thing[DISPLAY]();
    if (!jupyter) console.log(`${data["text/plain"]}\n`);
    else {
      const metadata = { ...thing.metadata, [PART]: { part: index + 1, of: things.length } };
      await Deno.jupyter.broadcast("display_data", { data, metadata, transient: {} });
    }
  }
  if (jupyter) await new Promise((resolve) => setTimeout(resolve, LAST_OUTPUT_MS));
}

function isJupyter(): boolean {
  try {
    return typeof Deno.jupyter?.broadcast === "function";
  } catch {
    // Touching it outside a kernel throws.
    return false;
  }
}
