/**
 * One reading for all who ask within a moment: fifty polls a second cost no more than four. Of what is read for a single
 * poll nobody notices that it is a quarter of a second old.
 */
const KEPT_MS = 250;

export class Moment<T> {
  readonly #read: () => Promise<T>;
  #kept: Promise<T> | null = null;
  /** When the kept reading began, ms by `performance.now()`. */
  #began = 0;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  read(): Promise<T> {
    const now = performance.now();
    if (this.#kept && now - this.#began < KEPT_MS) return this.#kept;
    this.#began = now;
    const reading = this.#read();
    this.#kept = reading;
    // Who asks after a failure tries anew.
    reading.catch(() => {
      if (this.#kept === reading) this.#kept = null;
    });
    return reading;
  }

  /** Something was changed here: whoever changed it sees it at once. */
  forget(): void {
    this.#kept = null;
  }
}
