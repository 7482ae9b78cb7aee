/** A wait that ends in time. */

/** The result of the work, or null when the time is over first. Without `ms` it waits as long as it takes. */
export async function within<T>(ms: number | undefined, work: Promise<T>): Promise<T | null> {
  if (ms === undefined) return await work;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => timer = setTimeout(resolve, ms, null));
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
