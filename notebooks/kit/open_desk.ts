/** What a notebook is connected to: where its data is, the moment it is looked at, and the one way to ask. */
import pg from "pg";
import type { z } from "zod";
import { isConnectionLost } from "../../lib/database/connection_lost.ts";
import type { Queryable } from "../../lib/database/port.ts";
import { UserError } from "../../lib/errors.ts";
import { checkVersion } from "./check_version.ts";
import { describeContents } from "./contents.ts";
import { DISPLAY, type Displayable, type MediaBundle } from "./displayable.ts";
import { openReader, type Reader } from "./read_only.ts";
import { readSettings } from "./settings.ts";
import { openSource, type Source, type SourceKind } from "./source.ts";

export interface NotebookDesk extends Displayable {
  readonly kind: SourceKind;
  /** For a person. */
  readonly where: string;
  /** The database's clock when it was opened or refreshed; the fixture's own, so that its figures stay. */
  readonly now: Date;
  /** For functions of `lib/` that read. */
  readonly db: Queryable;
  /**
   * Runs one statement that reads. Micro-dollars and counts come back as numbers, times as `Date`, jsonb parsed.
   * @param schema Checks and types every row; without it the type is taken on trust.
   * @throws UserError for everything that would change something.
   */
  query<Row extends object>(
    sql: string,
    params?: readonly unknown[],
    schema?: z.ZodType<Row>,
  ): Promise<Row[]>;
  /** Reads anew: of a database that a process serves, what is in it now. */
  refresh(): Promise<void>;
  /** A script ends after this; a kernel ends it by itself. */
  close(): Promise<void>;
}

interface Opened {
  source: Source;
  reader: Reader;
}

export async function openDesk(): Promise<NotebookDesk> {
  let opened = await open();
  const read: Queryable["query"] = async (text, params) => {
    try {
      return await opened.reader.query(text, params);
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      // The process that served the database has ended, or a new one begun. Reading twice does no harm.
      await close(opened).catch(() => {});
      opened = await open();
      return await opened.reader.query(text, params);
    }
  };
  const db: Queryable = { query: (text, params) => inOneLine(read(text, params)) };
  const readClock = async () =>
    opened.source.now ?? (await db.query<{ now: Date }>("SELECT now()")).rows[0]?.now ?? new Date();
  let now = await readClock();
  return {
    get kind() {
      return opened.source.kind;
    },
    get where() {
      return opened.source.where;
    },
    get now() {
      return now;
    },
    db,
    async query<Row extends object>(sql: string, params?: readonly unknown[], schema?: z.ZodType<Row>) {
      const { rows } = await db.query<Row>(sql, params);
      return schema ? rows.map((row) => schema.parse(row)) : rows;
    },
    async refresh() {
      await close(opened);
      opened = await open();
      now = await readClock();
    },
    close: () => close(opened),
    async [DISPLAY](): Promise<MediaBundle> {
      const warning = opened.reader.asReader ? null : await warnOfRights(db);
      return (await describeContents(db, opened.source.where, warning))[DISPLAY]();
    },
  };
}

/** A notebook shows the way to a failure below it; of one that is told in a line nobody wants to see the way. */
async function inOneLine<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const told = error instanceof pg.DatabaseError
      ? new UserError(`The database refuses the question: ${error.message}`)
      : error;
    if (told instanceof UserError) told.stack = `${told.name}: ${told.message}`;
    throw told;
  }
}

/** What READ ONLY transactions let through that a login with the right to read and no other would not. */
async function warnOfRights(db: Queryable): Promise<string> {
  const { rows: [login] } = await db.query<{ name: string }>("SELECT quote_ident(current_user) AS name");
  return `Queries run as the login ${login?.name} in READ ONLY transactions: they cannot write, but may call what its ` +
    `rights allow, pg_terminate_backend for one. GRANT pg_read_all_data TO ${login?.name} closes that`;
}

async function open(): Promise<Opened> {
  const source = await openSource(readSettings());
  try {
    const reader = await openReader(source.connection, source.where, { interrupt: source.interrupt });
    await checkVersion(reader, source.where);
    return { source, reader };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function close({ source, reader }: Opened): Promise<void> {
  await reader.close();
  await source.close();
}
