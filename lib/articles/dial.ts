import { connect, type Socket } from "node:net";

/** The only way to a host of a feed; apart, so that a test can answer for names. */
export function dial(host: string, port: number): Socket {
  return connect({ host, port });
}
