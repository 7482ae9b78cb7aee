/** Which `host:port` (or `unix:path`) an address leads to, as Deno's net permission names them. */
import { isAbsolute } from "node:path";

const DEFAULT_PORTS: Record<string, number> = { "http:": 80, "https:": 443 };
const POSTGRES_PORT = 5432;
/** Names, those under one, IPv4 and `[IPv6]`. Deno refuses to start with anything else, before the fault is told. */
const NAME = /^(?:\*\.)?[a-z\d](?:[a-z\d._-]*[a-z\d])?$/i;
const HIGHEST_PORT = 65_535;

/** Null: nothing that a permission can name. */
export function joinEndpoint(host: string, port: number | string): string | null {
  const written = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  const isHost = written.startsWith("[") ? URL.canParse(`http://${written}`) : NAME.test(written);
  return isHost && /^\d+$/.test(String(port)) && Number(port) <= HIGHEST_PORT ? `${written}:${port}` : null;
}

/** Of an http(s) address. */
export function endpointOf(address: string): string | null {
  const url = URL.parse(address);
  const port = url && (url.port || DEFAULT_PORTS[url.protocol]);
  return port ? joinEndpoint(url.hostname, port) : null;
}

/** Feeds move from http to https, and between a name with `www.` and the one without. */
export function endpointsOfFeed(address: string): string[] {
  const url = URL.parse(address);
  if (!url) return [];
  const { hostname } = url;
  const isName = hostname.includes(".") && !/^[\d.]+$|^\[/.test(hostname);
  const twin = hostname.startsWith("www.") ? hostname.slice(4) : `www.${hostname}`;
  return [hostname, ...(isName ? [twin] : [])].flatMap((host) =>
    [...new Set([url.port, "443", "80"])].filter((port) => port !== "").map((port) =>
      joinEndpoint(host, port)
    )
  ).filter((endpoint) => endpoint !== null);
}

/** Of an entry of FEED_HOSTS: on the ports of the web unless it names another one. */
export function endpointsOfHost(entry: string): string[] {
  const [, host, port] = /^([^:]+|\[.*\])(?::(\d+))?$/.exec(entry) ?? [];
  if (host === undefined) return [];
  return (port === undefined ? [443, 80] : [port]).map((each) => joinEndpoint(host, each))
    .filter((endpoint) => endpoint !== null);
}

export interface DatabasePlaces {
  /** `host:port`, or `unix:` and the path of a socket. */
  endpoint: string | null;
  /** The socket, which must be readable and writable too; null: TCP. */
  socket: string | null;
  /** Files that the address names for TLS. */
  files: string[];
  /** Whether the address or the environment names the password; if not, it may stand in a file. */
  hasPassword: boolean;
}

/** Where `pg` will connect to: what the address leaves out, the PG* variables say. */
export function placesOfDatabase(
  databaseUrl: string,
  env: Record<string, string | undefined>,
): DatabasePlaces | null {
  const url = URL.parse(databaseUrl);
  if (!url) return null;
  const asked = (name: string) => url.searchParams.get(name) || null;
  const host = asked("host") ?? (decode(url.hostname) || env.PGHOST || "localhost");
  const port = asked("port") || url.port || env.PGPORT || POSTGRES_PORT;
  const socket = isAbsolute(host) ? `${host}/.s.PGSQL.${port}` : null;
  return {
    endpoint: socket === null ? joinEndpoint(host, port) : `unix:${socket}`,
    socket,
    files: ["sslrootcert", "sslcert", "sslkey"].map(asked).filter((file) => file !== null),
    hasPassword: (url.password || asked("password") || env.PGPASSWORD || "") !== "",
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
