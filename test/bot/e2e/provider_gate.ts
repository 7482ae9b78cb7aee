/** Holds a fake provider's answers back until a test lets them through, so that a session stands still where it should. */
export class FakeProviderGate {
  /** How many answers may leave; Infinity: all. */
  #left = Infinity;
  readonly #waiting: (() => void)[] = [];

  /** From now on `count` answers leave, then no more. */
  let(count: number): void {
    this.#left = count;
    this.#release();
  }

  /** Everything that waits leaves, and all that comes. */
  open(): void {
    this.let(Infinity);
  }

  pass(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#release();
    });
  }

  #release(): void {
    while (this.#left > 0 && this.#waiting.length > 0) {
      this.#left--;
      this.#waiting.shift()!();
    }
  }
}
