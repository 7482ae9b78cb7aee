/**
 * Whose turn it is on the one backend. A client that opened a transaction (or a statement it has not finished)
 * keeps the turn until it is done, leaves, or stays silent too long.
 */
export class Turns<Client> {
  #owner: Client | null = null;
  #busy = false;
  #waiting: { client: Client; start: () => void }[] = [];
  #silence: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param silenceMs How long the owner of an open transaction may send nothing before `evict` is called.
   * @param evict Must end the client's transaction; the turn is free when it resolves.
   */
  constructor(readonly silenceMs: number, readonly evict: (client: Client) => Promise<void>) {}

  /** Waits for the client's turn, runs `work`, and keeps the turn if `work` resolves to true. */
  async run(client: Client, work: () => Promise<boolean>): Promise<void> {
    await this.#acquire(client);
    try {
      this.#owner = await work() ? client : null;
    } finally {
      this.#busy = false;
      this.#watchSilence();
      this.#startNext();
    }
  }

  /** The client is gone: forget what it queued, and end what it left open. */
  async leave(client: Client): Promise<void> {
    this.#waiting = this.#waiting.filter((entry) => entry.client !== client);
    if (this.#owner !== client) return;
    await this.run(client, async () => {
      await this.evict(client);
      return false;
    });
  }

  #acquire(client: Client): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ client, start: resolve });
      this.#startNext();
    });
  }

  #startNext(): void {
    if (this.#busy) return;
    const index = this.#owner === null ? 0 : this.#waiting.findIndex((entry) => entry.client === this.#owner);
    const [next] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (!next) return;
    this.#busy = true;
    clearTimeout(this.#silence);
    next.start();
  }

  #watchSilence(): void {
    clearTimeout(this.#silence);
    const owner = this.#owner;
    if (owner === null) return;
    this.#silence = setTimeout(() => this.leave(owner), this.silenceMs);
  }
}
