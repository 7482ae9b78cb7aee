/**
 * Figures that are dear to read because there is much to read. Pages ask for them again whenever something happens, so
 * they are told from memory for 19 times as long as reading them took: never more than a twentieth of the time goes
 * into reading, however many people look on.
 */
const REST = 19;
/** Articles over which the report about all of them is dear. */
export const DEAR_REPORT = 50_000;
/** Calls over which their sums are dear. */
export const DEAR_CALLS = 20_000;
/** Kept at most; then the oldest goes. */
const MOST_KEPT = 50;

interface Kept<T> {
  value: T;
  /** ms, by `performance.now()`. */
  until: number;
}

export class Ration<T> {
  readonly #isDear: (value: T) => boolean;
  readonly #kept = new Map<string, Kept<T>>();
  readonly #reading = new Map<string, Promise<T>>();

  /** @param isDear By its size and not by the time it took: what is small is always read anew, on a slow machine too. */
  constructor(isDear: (value: T) => boolean) {
    this.#isDear = isDear;
  }

  /** @param key Of what is read, and of whatever makes an older reading useless. */
  async read(key: string, read: () => Promise<T>): Promise<T> {
    const kept = this.#kept.get(key);
    if (kept && performance.now() < kept.until) return kept.value;
    return await (this.#reading.get(key) ?? this.#begin(key, read));
  }

  #begin(key: string, read: () => Promise<T>): Promise<T> {
    const reading = this.#read(key, read).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #read(key: string, read: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const value = await read();
    const now = performance.now();
    this.#kept.delete(key);
    if (this.#isDear(value)) this.#kept.set(key, { value, until: now + (now - began) * REST });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return value;
  }
}
