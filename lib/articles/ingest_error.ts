import { UserError } from "../errors.ts";

/**
 * The source as a whole could not be read: a missing file, an address that does not answer, input that is no
 * feed. One broken entry of a readable source is an `IngestItem` of kind "broken" instead.
 */
export class IngestError extends UserError {
  override readonly name: string = "IngestError";
}

/** The way leads to a host that this process was not granted. */
export class NotGrantedError extends IngestError {
  override readonly name = "NotGrantedError";
  /** @param host As FEED_HOSTS would name it. */
  constructor(message: string, readonly host: string) {
    super(message);
  }
}
