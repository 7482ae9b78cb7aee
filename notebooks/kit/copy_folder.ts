/** Copies folders with everything in them, readable by their owner only. */
import { join } from "node:path";

export async function copyFolder(from: string, to: string): Promise<void> {
  await copyChanged(from, to, 0);
}

/**
 * Makes `to` like `from`: copies what is missing there or was changed at or after `since` (ms since 1970), and removes
 * what is gone. A file that disappears in the middle of it is left out.
 */
export async function copyChanged(from: string, to: string, since: number): Promise<void> {
  await Deno.mkdir(to, { recursive: true, mode: 0o700 });
  const gone = new Map([...Deno.readDirSync(to)].map(({ name, isDirectory }) => [name, isDirectory]));
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (isDirectory) await unlessGone(copyChanged(source, target, since));
    else if (!gone.has(name) || await wasChanged(source, since)) {
      await unlessGone(Deno.copyFile(source, target));
    }
    gone.delete(name);
  }
  for (const name of gone.keys()) await Deno.remove(join(to, name), { recursive: true });
}

async function wasChanged(path: string, since: number): Promise<boolean> {
  const { mtime } = await Deno.lstat(path);
  return mtime === null || mtime.getTime() >= since;
}

async function unlessGone(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
