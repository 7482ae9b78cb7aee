import pg from "pg";
import { describe, expect, it } from "vitest";
import { placesOfDatabase } from "../../lib/permissions/endpoints.ts";
import { listFlags } from "../../lib/permissions/flags.ts";
import { findNearNames } from "../../lib/permissions/near_names.ts";
import { type Environment, listNeeds } from "../../lib/permissions/needs.ts";
import { SETTINGS } from "../../lib/settings.ts";

function needsOf(env: Environment, kind: "net" | "read" | "write"): string[] {
  return listNeeds(env, { cwd: "/nd", realDataDir: "/nd/.nightdesk" }).filter((need) => need.kind === kind)
    .map(({ value }) => value);
}

describe("what the settings make the service need", () => {
  it("is its page, its folder and the socket where that leads to when nothing is set", () => {
    expect(listNeeds({}, { cwd: "/nd", realDataDir: "/disk/nd" })).toEqual([
      { because: "HOST", kind: "net", value: "127.0.0.1:8000" },
      { because: "DATA_DIR", kind: "read", value: "/nd/.nightdesk" },
      { because: "DATA_DIR", kind: "write", value: "/nd/.nightdesk" },
      {
        because: "DATA_DIR",
        kind: "net",
        value: "unix:/disk/nd/.s.PGSQL.5432",
        without: "no command can join while this process runs",
      },
      { because: "DATA_DIR", kind: "read", value: "/disk/nd/.s.PGSQL.5432" },
      { because: "DATA_DIR", kind: "write", value: "/disk/nd/.s.PGSQL.5432" },
    ]);
  });

  it("is, for a rich configuration, exactly this", () => {
    const needs = listNeeds({
      DATABASE_URL: "postgres://desk@db.example:6432/desk?sslmode=verify-full&sslrootcert=/etc/pg/ca.pem",
      DATA_DIR: "/var/lib/nightdesk",
      HOME: "/home/desk",
      HOST: "::",
      PORT: "9000",
      GEMINI_API_KEY: "k",
      GEMINI_BASE_URL: "https://gemini.proxy.example/v1",
      TAVILY_API_KEY: "k",
      TAVILY_BASE_URL: "http://tavily.internal:8080",
      TELEGRAM_BOT_TOKEN: "1:k",
      TELEGRAM_API_ROOT: "http://[fd00::5]:8081",
      HTTPS_PROXY: "http://proxy.example:3128",
      ALERT_WEBHOOK_URL: "https://hooks.example/x?y=z",
      FEEDS: "https://www.blog.example/feed, http://10.0.0.5:8080/atom.xml feeds/own.xml",
      FEED_HOSTS: "cdn.example *.wiki.example static.example:8443",
    }, { cwd: "/nd", realDataDir: "/var/lib/nightdesk" });
    expect(needs.map(({ because, kind, value }) => `${because} ${kind} ${value}`)).toEqual([
      "HOST net [::]:9000",
      "DATA_DIR read /var/lib/nightdesk",
      "DATA_DIR write /var/lib/nightdesk",
      "DATABASE_URL net db.example:6432",
      "DATABASE_URL read /etc/pg/ca.pem",
      "DATABASE_URL read /home/desk/.pgpass",
      "GEMINI_BASE_URL net gemini.proxy.example:443",
      "TAVILY_BASE_URL net tavily.internal:8080",
      "TELEGRAM_API_ROOT net [fd00::5]:8081",
      "HTTPS_PROXY net proxy.example:3128",
      "ALERT_WEBHOOK_URL net hooks.example:443",
      "FEEDS net www.blog.example:443",
      "FEEDS net www.blog.example:80",
      "FEEDS net blog.example:443",
      "FEEDS net blog.example:80",
      "FEEDS net 10.0.0.5:8080",
      "FEEDS net 10.0.0.5:443",
      "FEEDS net 10.0.0.5:80",
      "FEEDS read /nd/feeds/own.xml",
      "FEED_HOSTS net cdn.example:443",
      "FEED_HOSTS net cdn.example:80",
      "FEED_HOSTS net *.wiki.example:443",
      "FEED_HOSTS net *.wiki.example:80",
      "FEED_HOSTS net static.example:8443",
    ]);
  });

  it("leaves out a provider without a key, a bot without a token, and what is faulty", () => {
    expect(needsOf({ GEMINI_BASE_URL: "https://a.example", TELEGRAM_API_ROOT: "https://b.example" }, "net"))
      .toEqual(["127.0.0.1:8000", "unix:/nd/.nightdesk/.s.PGSQL.5432"]);
    for (const fault of ["two words; rm", "http", "-1", "65536", "[::g]", "a:b:c", "$(x)", "*", "--x"]) {
      const faulty = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, fault]));
      for (const value of needsOf(faulty, "net")) {
        expect(value).toMatch(/^(?:\*|(?:\w+|\[[\d:a-f]+\]):\d+)$/);
        expect(() => Deno.permissions.querySync({ name: "net", ...(value === "*" ? {} : { host: value }) }))
          .not.toThrow();
      }
    }
  });

  it("opens any host only when FEED_HOSTS says so", () => {
    const flags = (hosts: string) =>
      listFlags({ needs: listNeeds({ FEED_HOSTS: hosts }, { cwd: "/nd", realDataDir: "/nd" }), names: [] });
    expect(flags("*")).toContain("--allow-net");
    expect(flags("*.example").find((flag) => flag.startsWith("--allow-net"))).toMatch(/\*\.example:443/);
  });

  it("finds the same server as pg does", () => {
    const addresses = [
      "postgres://db.example/x",
      "postgres://u:p@db.example:6432/x",
      "postgresql://u@[fd00::1]:6432/x",
      "postgres://u@db.example:1/x?port=2",
      "postgres://u@db.example/x?host=other.example",
      "postgres:///x?host=/var/run/postgresql",
      "postgres://%2Fvar%2Frun%2Fpostgresql/x",
      "postgres://%2Frun%2Fpg:5433/x",
      "postgres:///x",
    ];
    for (const address of addresses) {
      const client = new pg.Client({ connectionString: address });
      const { endpoint, socket } = placesOfDatabase(address, {})!;
      const host = client.host.includes(":") ? `[${client.host}]` : client.host;
      expect({ address, endpoint, socket }).toEqual(
        client.host.startsWith("/")
          ? {
            address,
            endpoint: `unix:${client.host}/.s.PGSQL.${client.port}`,
            socket: `${client.host}/.s.PGSQL.${client.port}`,
          }
          : { address, endpoint: `${host}:${client.port}`, socket: null },
      );
    }
    expect(placesOfDatabase("postgres:///x", { PGHOST: "h.example", PGPORT: "7" })?.endpoint).toBe(
      "h.example:7",
    );
  });

  it("asks for a file with passwords only when the password stands nowhere else", () => {
    const reads = (env: Environment) => needsOf({ HOME: "/h", ...env }, "read").slice(1);
    expect(reads({ DATABASE_URL: "postgres://u@h.example/x" })).toEqual(["/h/.pgpass"]);
    expect(reads({ DATABASE_URL: "postgres://u@h.example/x", PGPASSFILE: "/etc/pass" })).toEqual([
      "/etc/pass",
    ]);
    expect(reads({ DATABASE_URL: "postgres://u:p@h.example/x" })).toEqual([]);
    expect(reads({ DATABASE_URL: "postgres://u@h.example/x", PGPASSWORD: "p" })).toEqual([]);
    expect(reads({})).toEqual([]);
  });
});

describe("the flags", () => {
  it("are words that no shell takes apart, one of a kind", () => {
    const needs = [
      { because: "A", kind: "net" as const, value: "a.example:443" },
      { because: "B", kind: "net" as const, value: "a.example:443" },
      { because: "C", kind: "net" as const, value: "b.example:80" },
      { because: "D", kind: "read" as const, value: "/with space/x" },
      { because: "E", kind: "read" as const, value: "/with,comma" },
      { because: "F", kind: "read" as const, value: "/plain" },
      { because: "G", kind: "write" as const, value: "/plain" },
    ];
    expect(listFlags({ needs, names: ["X", "PG*"] })).toEqual([
      "--allow-net=a.example:443,b.example:80",
      "--allow-read=bot,deno.json,jobs,lib,main.ts,migrations,node_modules,/plain",
      "--allow-write=/plain",
      "--allow-env=X,PG*",
    ]);
  });
});

describe("names that may be a setting with a slip in it", () => {
  const near = (...present: string[]) => findNearNames(present, Object.keys(SETTINGS));

  it("are found with letters left out, added, exchanged and swapped", () => {
    const slips = ["GEMINI_APIKEY", "GEMINI_API_KEYS", "GEMINI_API_KEZ", "BATCH_BUGDET_USD", "FEED_HOST"];
    expect(near(...slips)).toEqual(slips);
  });

  it("are not those of others, nor settings, nor what could not stand in a flag", () => {
    expect(
      near("PATH", "HOME", "AWS_SECRET_ACCESS_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY", "GEMINI,API_KEY"),
    )
      .toEqual([]);
  });
});
