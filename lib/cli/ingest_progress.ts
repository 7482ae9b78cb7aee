/** Says how far an ingestion is: one line that is written over on a terminal, a line now and then elsewhere. */
import type { IngestReport } from "../articles/types.ts";
import { note } from "./output.ts";

/** Without a terminal a line is printed this often at most, ms. */
const LINE_MS = 5_000;

const encoder = new TextEncoder();

export interface IngestProgress {
  show(report: Readonly<IngestReport>): void;
  /** Takes the line away: the result follows. */
  stop(): void;
}

export function showIngestProgress(): IngestProgress {
  const terminal = Deno.stderr.isTerminal();
  let at = performance.now();
  return {
    show(report) {
      const line = `${report.new} new, ${report.known} known, ${report.broken.length} broken …`;
      if (terminal) Deno.stderr.writeSync(encoder.encode(`\r\x1b[2K${line}`));
      else if (performance.now() - at >= LINE_MS) {
        at = performance.now();
        note(line);
      }
    },
    stop() {
      if (terminal) Deno.stderr.writeSync(encoder.encode("\r\x1b[2K"));
    },
  };
}
