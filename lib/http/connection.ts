/**
 * One HTTP/1.1 connection for one request. Plain TCP or TLS, as the address says; nothing is sent by opening it.
 *
 * No library takes one that is open already (Deno 2.9.6, tried): node:http leaves the socket of `createConnection` alone and
 * opens another, undici never hears the answer on a socket that its connector hands over, `fetch` takes none.
 */

/** An answer of a few KB arrives in one piece. */
const READ_BYTES = 16 * 1024;

export class Connection {
  readonly #conn: Deno.TcpConn | Deno.TlsConn;
  /** Reads from the start, so that a connection is known to be dead before anything is sent on it. */
  #firstRead: Promise<Uint8Array<ArrayBuffer> | null> | null;
  #used = false;
  #spoiled = false;

  private constructor(conn: Deno.TcpConn | Deno.TlsConn) {
    this.#conn = conn;
    this.#firstRead = this.#readPiece();
    const spoil = () => this.#spoiled = !this.#used;
    this.#firstRead.then(spoil, spoil);
  }

  /**
   * Rejects when there is no connection: name, network, certificate, or `signal` fired.
   *
   * `Deno.connectTls` does the same in one step but leaves Nagle's algorithm on (2.9.6, seen with strace): the end of a
   * prompt, which takes several TLS records, would wait for the server's acknowledgement of its beginning.
   */
  static async open({ protocol, hostname, port }: URL, signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    const secure = protocol === "https:";
    const host = hostname.replace(/^\[|\]$/g, "");
    const tcp = await Deno.connect({ hostname: host, port: Number(port) || (secure ? 443 : 80), signal });
    let conn: Deno.TcpConn | Deno.TlsConn = tcp;
    const giveUp = () => close(conn);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      tcp.setNoDelay(true);
      if (secure) {
        const tls = conn = await Deno.startTls(tcp, { hostname: host, alpnProtocols: ["http/1.1"] });
        await tls.handshake();
      }
      signal.throwIfAborted();
    } catch (error) {
      close(conn);
      throw error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
    return new Connection(conn);
  }

  /** The server has closed it, or spoke before it was asked: nothing may be sent on it. */
  get spoiled(): boolean {
    return this.#spoiled;
  }

  /** While nobody needs it, it does not keep the process alive. */
  rest(): void {
    this.#conn.unref();
  }

  /** From here on it belongs to one request. */
  use(): this {
    this.#used = true;
    this.#conn.ref();
    return this;
  }

  async write(data: Uint8Array): Promise<void> {
    let written = 0;
    while (written < data.length) written += await this.#conn.write(data.subarray(written));
  }

  /** What came next; null: the server has closed its side. */
  read(): Promise<Uint8Array<ArrayBuffer> | null> {
    const first = this.#firstRead;
    this.#firstRead = null;
    return first ?? this.#readPiece();
  }

  close(): void {
    close(this.#conn);
  }

  async #readPiece(): Promise<Uint8Array<ArrayBuffer> | null> {
    const buffer = new Uint8Array(READ_BYTES);
    const length = await this.#conn.read(buffer);
    return length === null ? null : buffer.subarray(0, length);
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}
