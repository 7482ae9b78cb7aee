/** Flags of `deno run` that permit nothing: they make a start quicker. All measured with Deno 2.9.6. */

/** Deno writes it at the end of an installation. */
const INSTALLED = "node_modules/.deno/.setup-cache.bin";
const PROJECT = new URL("../../", import.meta.url);

/** Whose flags of V8 these are: for one that it does not know, it ends the process. */
const V8 = /^15\./;
/**
 * How much of the embedded database runs before V8 begins to optimise it, about 75 times V8's own measure: 0.25 s of processor
 * time at a start, a second where the database is made. Later both are as quick.
 */
const LATER = "--v8-flags=--wasm-tiering-budget=1000000000";

export function quickStartFlags(): string[] {
  return [...flagsOfPackages(), ...(V8.test(Deno.version.v8) ? [LATER] : [])];
}

/**
 * To take the packages as they lie there: told nothing, Deno looks at all 318 that are installed for each one that the
 * program names, 0.4 s of processor time. None when the lock has changed since, or nothing is installed: then Deno installs.
 */
export function flagsOfPackages(project: URL = PROJECT): string[] {
  const locked = changedAt(new URL("deno.lock", project));
  const installed = changedAt(new URL(INSTALLED, project));
  return locked < installed ? ["--node-modules-dir=manual"] : [];
}

/** ms; NaN: there is no such file. */
function changedAt(file: URL): number {
  try {
    return Deno.statSync(file).mtime?.getTime() ?? NaN;
  } catch {
    return NaN;
  }
}
