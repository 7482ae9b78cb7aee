/** Reads server-sent events as a client does. */

export interface Message {
  event: string;
  id: number | null;
  data: Record<string, unknown>;
}

/** Reads a live stream message by message. */
export class Reading {
  readonly messages: Message[] = [];
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor(answer: Response) {
    if (!answer.body) throw new Error("no stream");
    this.#reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Reads on until a message fits; the test's own time limit ends a wait for one that never comes. */
  async until(fits: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found) return found;
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`the stream ended after ${JSON.stringify(this.messages)}`);
      this.#rest += value;
      const parts = this.#rest.split("\n\n");
      this.#rest = parts.pop() ?? "";
      for (const part of parts) this.#take(part);
    }
  }

  async end(): Promise<boolean> {
    for (;;) if ((await this.#reader.read()).done) return true;
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }

  get ids(): (number | null)[] {
    return this.messages.filter(({ event }) => event === "event").map(({ id }) => id);
  }

  #take(part: string): void {
    const fields = new Map(
      part.split("\n").map((line): [string, string] => {
        const colon = line.indexOf(": ");
        return [line.slice(0, colon), line.slice(colon + 2)];
      }),
    );
    const data = fields.get("data");
    if (!data) return;
    const id = fields.get("id");
    this.messages.push({
      event: fields.get("event") ?? "",
      id: id ? Number(id) : null,
      data: JSON.parse(data),
    });
  }
}
