/** The time an article may take. Waiting until a request may leave does not count: the article can do nothing about it. */
export class ArticleClock {
  #leftMs: number;
  #startedAt = 0;
  #stopped = true;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param controller Aborted with a TimeoutError when the time is up. */
  constructor(readonly controller: AbortController, limitMs: number) {
    this.#leftMs = limitMs;
    this.go();
  }

  /** ms */
  get leftMs(): number {
    return this.#leftMs - (this.#stopped ? 0 : performance.now() - this.#startedAt);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#leftMs = this.leftMs;
    this.#stopped = true;
  }

  go(): void {
    this.#stopped = false;
    this.#startedAt = performance.now();
    this.#timer = setTimeout(
      () => this.controller.abort(new DOMException("the article's time is up", "TimeoutError")),
      Math.max(0, this.#leftMs),
    );
  }
}
