/**
 * A client's connection to the database's thread as a message port: for an owner that was not granted a socket. It is as
 * much of a `net.Socket` as `pg` and the wire server use.
 *
 * Not the way when there is a socket: that one serves other processes too, and one way is enough to test and to tune.
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";

export class PortStream extends Duplex {
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    super({ allowHalfOpen: false });
    this.#port = port;
    // Null is the farewell: a port does not say that its other end is gone.
    port.onmessage = ({ data }: MessageEvent<Uint8Array | null>) =>
      this.push(data && Buffer.from(data.buffer));
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#send(chunk);
    done();
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: (error?: Error) => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    done();
  }

  override _final(done: (error?: Error) => void): void {
    this.#port.postMessage(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.writableFinished) this.#port.postMessage(null);
    // What was posted a moment ago is still delivered.
    this.#port.close();
    done(error);
  }

  connect(): this {
    queueMicrotask(() => this.emit("connect"));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  /** The thread keeps the process alive, not its clients. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  #send(chunk: Uint8Array): void {
    // Writers reuse their buffers, and a view would be sent with all that lies around it.
    const bytes = Uint8Array.from(chunk);
    this.#port.postMessage(bytes, [bytes.buffer]);
  }
}
