/** How a followed session looks: a bar on a terminal, lines elsewhere. */
import { Presets, SingleBar } from "cli-progress";
import process from "node:process";
import type { Progress } from "../batches/read_sessions.ts";
import { isLive } from "../batches/types.ts";
import { formatUsd } from "../money.ts";
import { describeProgress, describeReturn } from "./describe_session.ts";
import { duration, note } from "./output.ts";

/** Without a terminal a line is printed this often at most, ms. */
const LINE_MS = 2_000;
/** … and while nothing is done, only this often, ms. */
const QUIET_LINE_MS = 30_000;

export interface ProgressView {
  show(progress: Progress): void;
  /** A line between what is shown. */
  say(text: string): void;
  stop(): void;
}

export function showBar(): ProgressView {
  const bar = new SingleBar({
    format: "{bar} {value}/{total} articles · {money} · {pace}",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: false,
    barsize: 24,
    etaBuffer: 1,
  }, Presets.shades_classic);
  let started = false;
  const view: ProgressView = {
    show(progress) {
      const { session, done } = progress;
      const payload = {
        money: `${formatUsd(session.spent)}/${formatUsd(session.budget)}${
          session.simulated ? " simulated" : ""
        }`,
        pace: describePace(progress),
      };
      if (!started) bar.start(session.total, done, payload);
      else bar.update(done, payload);
      started = true;
    },
    say(text) {
      // The bar draws over its line once more when it stops: what follows must come after that.
      view.stop();
      note(text);
    },
    stop() {
      if (started) bar.stop();
      started = false;
    },
  };
  return view;
}

function describePace({ session, done, perMinute, etaMs, nextDueMs }: Progress): string {
  if (session.status === "PAUSED") return `paused · ${describeReturn(session) ?? "until it is resumed"}`;
  return [
    perMinute ? `${Math.round(perMinute)}/min` : "starting",
    etaMs !== null && done < session.total ? `${duration(etaMs)} left` : null,
    `${session.failed} failed`,
    nextDueMs !== null ? `next in ${duration(nextDueMs)}` : null,
  ].filter((part) => part !== null).join(" · ");
}

export function showLines(): ProgressView {
  let last = "";
  let at = -Infinity;
  return {
    show(progress) {
      const { done, session } = progress;
      const state = `${done} ${session.status}`;
      const pause = performance.now() - at;
      const news = state !== last && (pause >= LINE_MS || !isLive(session.status));
      if (!news && pause < QUIET_LINE_MS) return;
      last = state;
      at = performance.now();
      note(describeProgress(progress));
    },
    say: note,
    stop() {},
  };
}
