/**
 * The last resort. An error that nobody caught (a promise that nobody waits for, a timer that throws) would end the
 * process, and with it a night that has nobody to start it again. What there is to do stands in Postgres under leases:
 * a part that broke off is taken back by the others, and alerts tell of one that is missing. So it is written down as
 * the defect that it is, and the rest goes on.
 */
import { messageOf } from "./errors.ts";
import type { Log } from "./log.ts";

/** Until the function that it returns is called. */
export function outliveUncaught(log: Log): () => void {
  const tell = (event: Event, thrown: unknown) => {
    event.preventDefault();
    const at = thrown instanceof Error ? thrown.stack?.split("\n")[1]?.trim() : undefined;
    log("error", { error: messageOf(thrown), at }, "an error that nobody caught; the process goes on");
  };
  const onRejection = (event: PromiseRejectionEvent) => tell(event, event.reason);
  const onError = (event: ErrorEvent) => tell(event, event.error);
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return () => {
    globalThis.removeEventListener("unhandledrejection", onRejection);
    globalThis.removeEventListener("error", onError);
  };
}
