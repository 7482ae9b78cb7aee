/**
 * Loaded before main.ts in a child process: makes Deno's runtime what it is on Deno Deploy. KV and its queue are not
 * there; crons must be registered before the server listens; they fire on the minute,
 * and one that still runs is not begun again. Only the length of the minute is a setting of the test, because nobody
 * waits half an hour for a test.
 */

/** ms */
const MINUTE = Number(Deno.env.get("DEPLOY_TEST_MINUTE_MS") ?? 60_000);
/** The free plan's limits: crons a revision, characters of a name. */
const MOST_CRONS = 10;
const LONGEST_NAME = 256;

const gone = ["openKv", "Kv", "KvListIterator", "KvU64", "AtomicOperation"];
for (const name of gone) Reflect.deleteProperty(Deno, name);

const names = new Set<string>();
let listening = false;

function cron(
  name: string,
  _schedule: string,
  options: { signal?: AbortSignal },
  handler: () => Promise<void> | void,
): Promise<void> {
  if (listening) throw new Error(`cron ${name} was registered after the server began to listen`);
  if (names.has(name) || names.size === MOST_CRONS || name.length > LONGEST_NAME) {
    throw new Error(`cron ${name} cannot be registered after ${[...names].join(", ")}`);
  }
  names.add(name);
  let running = false;
  const fire = async () => {
    if (running || options.signal?.aborted) return;
    running = true;
    try {
      await handler();
    } finally {
      running = false;
    }
  };
  const wait = MINUTE - Date.now() % MINUTE;
  const first = setTimeout(() => {
    void fire();
    const timer = setInterval(() => void fire(), MINUTE);
    options.signal?.addEventListener("abort", () => clearInterval(timer));
  }, wait);
  options.signal?.addEventListener("abort", () => clearTimeout(first));
  return Promise.resolve();
}

const real = Deno.serve;
function serve(...args: Parameters<typeof real>): ReturnType<typeof real> {
  if (names.size === 0) throw new Error("the server listens, and no cron was registered before");
  listening = true;
  return real(...args);
}

Object.defineProperty(Deno, "cron", { value: cron, configurable: true });
Object.defineProperty(Deno, "serve", { value: serve, configurable: true });
