/** A notebook never migrates; a database of another version is told in one line. */
import { assertNotNewer, readMigrationState } from "../../lib/database/migrate.ts";
import type { Queryable } from "../../lib/database/port.ts";
import { UserError } from "../../lib/errors.ts";

/** Throws `UserError` for a database that is older or newer than this program. */
export async function checkVersion(db: Queryable, where: string): Promise<void> {
  const state = await readMigrationState({ query: (text) => db.query(text) });
  assertNotNewer(state);
  if (state.pending.length === 0) return;
  const is = state.applied.length === 0 ? "has no tables of Nightdesk yet" : "is from an older Nightdesk";
  throw new UserError(
    `Cannot read ${where}: it ${is} (it lacks ${state.pending.join(", ")}). ` +
      "A notebook changes nothing: let the desk bring it up to date first, any command does",
  );
}
