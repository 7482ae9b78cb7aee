/**
 * Names in the environment that may be a setting with a slip in it. The program tells them (lib/config.ts), so it must
 * be let see them; everything else that is no setting stays hidden from it.
 */

/** Edits that make one name of another, at most. */
export const MOST_EDITS = 2;
/** Shorter settings are as near to many an honest name. */
export const SHORTEST_SETTING = 8;

/** All that are within so many edits of a setting, and a few more: letters are compared, not their order. */
export function findNearNames(present: readonly string[], settings: readonly string[]): string[] {
  const long = settings.filter((setting) => setting.length >= SHORTEST_SETTING);
  return present.filter((name) =>
    /^\w+$/.test(name) && !settings.includes(name) &&
    long.some((setting) => bagDistance(setting, name) <= MOST_EDITS)
  );
}

/** Never more than the edit distance (Bartolini, Ciaccia and Patella 2002), and no library to load at each start. */
function bagDistance(a: string, b: string): number {
  const left = [...b];
  let common = 0;
  for (const letter of a) {
    const at = left.indexOf(letter);
    if (at < 0) continue;
    left.splice(at, 1);
    common++;
  }
  return Math.max(a.length, b.length) - common;
}
