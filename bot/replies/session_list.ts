/** The last sessions, one line each. */
import type { FormattedString } from "@grammyjs/parse-mode";
import type { Session } from "../../lib/batches/types.ts";
import { formatUsd } from "../../lib/money.ts";
import type { Clock } from "./estimate.ts";
import { blocks, clock, lines, plain, strong, table } from "./format.ts";
import { MARKS } from "./session.ts";

export const SESSIONS_A_PAGE = 10;

const STATES: Record<Session["status"], string> = {
  INITIATED: "work",
  PROCESSING: "work",
  PAUSED: "pause",
  COMPLETED: "done",
  PARTIAL: "part",
  FAILED: "fail",
  CANCELLED: "off",
};

export function describeSessions(sessions: readonly Session[], { now, zone }: Clock): FormattedString {
  const rows = sessions.map(({ number, status, analyzed, total, spent, created_at }) => [
    String(number),
    STATES[status],
    `${analyzed}/${total}`,
    formatUsd(spent),
    clock(created_at, zone, now).replace(/ \d\d:\d\d$/, ""),
  ]);
  const simulated = sessions.filter((session) => session.simulated).length;
  const live = sessions.find(({ status }) => status === "PROCESSING" || status === "PAUSED");
  return blocks(
    lines(
      strong("Sessions"),
      live
        ? plain(`${MARKS[live.status]} ${live.number} is ${live.status === "PAUSED" ? "paused" : "at work"}`)
        : null,
    ),
    table([["#", "state", "read", "spent", ""], ...rows], [0, 2, 3], " "),
    simulated === 0 ? null : plain(
      simulated === sessions.length
        ? "All of this money is simulated."
        : `Simulated: ${
          sessions.filter((session) => session.simulated).map(({ number }) => `#${number}`).join(", ")
        }`,
    ),
  );
}
