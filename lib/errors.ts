/**
 * An error whose message is written for a person: one line that says what failed, what was wanted, what was
 * given and what to do. The terminal prints it as it is; anything else is a defect and is reported as one.
 */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/** The command or setting itself was wrong (exit code 2), as opposed to something that failed (exit code 1). */
export class UsageError extends UserError {
  override readonly name = "UsageError";
}

/** The name of a wish that was granted before, on something else: nothing is done. */
export class ReusedKeyError extends UserError {
  override readonly name = "ReusedKeyError";
}

/** What was asked for does not exist. */
export class NotFoundError extends UserError {
  override readonly name = "NotFoundError";
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  // A host with several addresses fails with one error for each, and no text of its own.
  if (thrown instanceof AggregateError && thrown.message === "") {
    return thrown.errors.map(messageOf).join("; ");
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}
