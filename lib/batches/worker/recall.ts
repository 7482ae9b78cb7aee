/** Calls back what waits for its turn to be sent: whoever waits now is told, whoever comes later waits again. */
export class Recall {
  #controller = new AbortController();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  fire(): void {
    this.#controller.abort();
    this.#controller = new AbortController();
  }
}
