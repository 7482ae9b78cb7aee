/**
 * A connection to one host, made before the request exists and looked at before it is used: nothing is sent to an
 * address that may not be asked, however its name was answered (DNS rebinding).
 *
 * Why not a `lookup` for node:http that hands over checked addresses: Deno grants hosts by name, and only its own lookup
 * carries the grant over to the addresses (2.9.6, GHSA-fhjh-jqv7-m238); with any other one every address would have to be
 * granted as well. Why no agent: that of node:https asks for the permission `sys: ca`, which no flag can name.
 */
import { isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { dial } from "./dial.ts";
import { isPublicAddress } from "./public_address.ts";

/** Thrown when a name leads to an address that may not be asked. */
export class PrivateAddressError extends Error {
  override readonly name = "PrivateAddressError";
}

/** Thrown when this process was not granted the host. */
export class HostNotGrantedError extends Error {
  override readonly name = "HostNotGrantedError";
  constructor(readonly endpoint: string) {
    super(`no permission to reach ${endpoint}`);
  }
}

export interface ConnectOptions {
  allowPrivate: boolean;
  signal: AbortSignal;
}

/** @param url http or https. Throws the errors above, those of the system, and the signal's reason. */
export async function connectChecked(url: URL, options: ConnectOptions): Promise<Socket> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const granted = Deno.permissions.querySync({ name: "net", host: `${url.hostname}:${port}` });
  if (granted.state !== "granted") throw new HostNotGrantedError(`${url.hostname}:${port}`);
  options.signal.throwIfAborted();
  const socket = await open(host, port, options);
  if (url.protocol === "http:") return socket;
  // The certificate is checked for the host as it was asked for.
  return connectTls({ socket, host, servername: isIP(host) ? "" : host, ALPNProtocols: ["http/1.1"] });
}

function open(host: string, port: number, { allowPrivate, signal }: ConnectOptions): Promise<Socket> {
  const refused = (address: string | undefined) =>
    allowPrivate || address === undefined || isPublicAddress(address)
      ? null
      : new PrivateAddressError(`${host} leads to a private address`);
  return new Promise((resolve, reject) => {
    const socket = dial(host, port);
    const giveUp = () => socket.destroy(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    const done = () => signal.removeEventListener("abort", giveUp);
    // Before it connects: one private address among several is enough, because any of them may be taken.
    socket.on("lookup", (_error, address: string | undefined) => {
      const error = refused(address);
      if (error) socket.destroy(error);
    });
    socket.once("error", (error) => {
      done();
      reject(error);
    });
    socket.once("connect", () => {
      done();
      // Whatever the lookup said: this is where the request would go. A socket without an address is not trusted.
      const error = refused(socket.remoteAddress ?? "unknown");
      if (!error) return resolve(socket);
      reject(error);
      socket.destroy();
    });
  });
}
