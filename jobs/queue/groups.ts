/** What is asked for while a write is out goes out together in the next one: many messages, few statements. */

/** More at once would make one statement long, not many short. */
const MOST_AT_ONCE = 500;

interface Waiting<Item> {
  item: Item;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * @param write Gets everything that waits, in the order it was given; if it fails, all of that fails.
 * @returns Resolves when the item has been written.
 */
export function createGroups<Item>(write: (items: Item[]) => Promise<void>): (item: Item) => Promise<void> {
  const waiting: Waiting<Item>[] = [];
  let writing = false;
  const writeAll = async () => {
    // What is asked for in the same breath shall go out together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const group = waiting.splice(0, MOST_AT_ONCE);
      await write(group.map(({ item }) => item)).then(
        () => group.forEach(({ resolve }) => resolve()),
        (error) => group.forEach(({ reject }) => reject(error)),
      );
    }
    writing = false;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (writing) return;
      writing = true;
      void writeAll();
    });
}
