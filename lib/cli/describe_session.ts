/** A session in words and tables, for the terminal. */
import { aroundWork } from "../batches/read_batches.ts";
import type { Progress } from "../batches/read_sessions.ts";
import { describeReason } from "../reasons.ts";
import { isLive, type Session } from "../batches/types.ts";
import type { SessionDetail, SessionEstimate } from "../desk.ts";
import { formatUsd, type Micros } from "../money.ts";
import { count, duration, money, percent, shorten, statusColour } from "./output.ts";
import { formatTable } from "./table.ts";

/** Rows of a session whose batches are too many to list. */
const BATCHES_OF_MANY = 20;

/** "Session 3 PARTIAL: 96 of 200 analysed, …" in one line. */
export function summarise(session: Session): string {
  const parts = [`${session.analyzed} of ${session.total} analysed`];
  if (session.failed > 0) parts.push(`${session.failed} failed`);
  if (session.skipped > 0) parts.push(`${session.skipped} skipped`);
  parts.push(`${money(session.spent, session.simulated)} of ${formatUsd(session.budget)}`);
  const reasons = [session.reason && describeReason(session.reason), describeReturn(session)];
  const told = reasons.filter((part) => part !== null);
  const why = told.length > 0 ? ` (${told.join("; ")})` : "";
  return `Session ${session.number} ${statusColour(session.status)}${why}: ${parts.join(", ")}`;
}

/** When a paused session goes on without anybody's help; null: it does not. */
export function describeReturn({ resume_at }: Pick<Session, "resume_at">): string | null {
  if (resume_at === null) return null;
  const waitMs = resume_at.getTime() - Date.now();
  if (waitMs > 0) return `comes back by itself in ${duration(waitMs)}`;
  // Workers look every second, so one that is due for longer has to wait for its turn.
  return waitMs > -5_000
    ? "comes back by itself any moment"
    : "comes back by itself when no other session is at work";
}

export function describeSession(detail: SessionDetail): string {
  const { session } = detail;
  const lines = [summarise(session), "", ...describeMoney(detail), ...describeWork(detail)];
  if (detail.failures.length > 0) {
    lines.push("", "Failures");
    for (const failure of detail.failures) {
      const kind = failure.permanent ? "permanent" : "can be retried";
      lines.push(`  ${failure.articles} × ${failure.error_class} (${kind}): ${shorten(failure.example, 90)}`);
    }
  }
  lines.push("", describeBatches(detail));
  return lines.join("\n");
}

function describeMoney({ session, projected }: SessionDetail): string[] {
  const { budget, spent, held, unknown, overrun, simulated, estimated_cost } = session;
  const extra = [
    held > 0 ? `held ${formatUsd(held)}` : null,
    unknown > 0 ? `of it ${formatUsd(unknown)} with an unknown outcome, charged in full` : null,
    overrun > 0 ? `billed above holds ${formatUsd(overrun)}` : null,
  ].filter((part) => part !== null);
  const lines = [
    `  Spent     ${money(spent, simulated)} of ${formatUsd(budget)} (${percent(spent, budget)})` +
    (extra.length > 0 ? `; ${extra.join("; ")}` : ""),
    `  Expected  ${formatUsd(estimated_cost)}` +
    (projected !== null && isLive(session.status) ? `; at today's mean ${formatUsd(projected)}` : ""),
  ];
  if (session.analyzed > 0) {
    const mean = Math.round((spent + overrun) / session.analyzed) as Micros;
    lines.push(`  Article   ${money(mean, simulated)} on average, ${session.model}`);
  }
  return lines;
}

function describeWork({ session, perMinute, etaMs, processing, nextDueMs }: SessionDetail): string[] {
  const started = session.started_at ?? session.created_at;
  const ended = session.finished_at ?? new Date();
  const lines = [
    `  Time      ${duration(ended.getTime() - started.getTime())} since ${started.toISOString()}`,
  ];
  if (session.status === "PAUSED") {
    lines.push(
      `  Now       ${processing} under way; ${describeReturn(session) ?? "paused until it is resumed"}`,
    );
  } else if (isLive(session.status)) {
    const now = [
      `${processing} under way`,
      perMinute ? `${Math.round(perMinute)} a minute` : null,
      etaMs !== null ? `about ${duration(etaMs)} left` : null,
      nextDueMs !== null ? `next work in ${duration(nextDueMs)}` : null,
    ].filter((part) => part !== null);
    lines.push(`  Now       ${now.join(", ")}`);
  }
  const notes = [
    session.retries > 0 ? count(session.retries, "retry", "retries") : null,
    session.ungrounded > 0
      ? `${count(session.ungrounded, "quote")} dropped because not found in the article`
      : null,
    session.stale_writes > 0
      ? `${count(session.stale_writes, "write")} refused from workers that had lost their claim`
      : null,
    session.research_missing > 0 ? `research missing: ${session.research_missing}` : null,
    session.research_off ? `research is off: ${shorten(session.research_off, 80)}` : null,
  ].filter((part) => part !== null);
  if (notes.length > 0) lines.push(`  Notes     ${notes.join("; ")}`);
  return lines;
}

/** All of them, unless they would fill many screens. */
function describeBatches({ batches, batch_count }: SessionDetail): string {
  const all = batches.length === batch_count;
  const shown = all ? batches : aroundWork(batches, BATCHES_OF_MANY);
  const table = formatTable(
    [
      { title: "batch", align: "right" },
      { title: "state" },
      { title: "analysed", align: "right" },
      { title: "failed", align: "right" },
      { title: "skipped", align: "right" },
      { title: "cost", align: "right" },
      { title: "expected", align: "right" },
    ],
    shown.map((batch) => [
      batch.batch_number,
      batch.status,
      `${batch.processed}/${batch.total}`,
      batch.failed,
      batch.skipped,
      formatUsd(batch.actual_cost),
      formatUsd(batch.estimated_cost),
    ]),
  );
  if (all) return table;
  const [first, last] = [shown[0], shown[shown.length - 1]].map(({ batch_number }) => batch_number);
  return `Batches ${first} to ${last} of ${batch_count.toLocaleString("en-US")}\n${table}`;
}

export function describeSessions(sessions: readonly Session[]): string {
  return formatTable(
    [
      { title: "session", align: "right" },
      { title: "state" },
      { title: "why" },
      { title: "analysed", align: "right" },
      { title: "spent", align: "right" },
      { title: "budget", align: "right" },
      { title: "started" },
    ],
    sessions.map((session) => [
      session.number,
      session.status,
      session.reason ?? "",
      `${session.analyzed}/${session.total}`,
      money(session.spent, session.simulated),
      formatUsd(session.budget),
      session.created_at.toISOString().slice(0, 16).replace("T", " "),
    ]),
  );
}

export function describeEstimate(estimate: SessionEstimate): string {
  const { articles, expected, worst, budget, simulated, price, affordable } = estimate;
  const source = estimate.learntFrom > 0
    ? `learnt from ${count(estimate.learntFrom, "article")}`
    : "a first guess; experience replaces it";
  const lines = [
    `${count(articles, "article")} ready${
      estimate.readyBeyondLimit ? " (more stay for another session)" : ""
    }`,
    `  Expected  ${money(expected, simulated)}: ${
      formatUsd(estimate.expectedPerArticle)
    } an article, ${source}`,
    `  Worst     ${formatUsd(worst)} if every article used its bound; the budget stops it at ${
      formatUsd(budget)
    }`,
    `  Model     ${estimate.model} at $${price.perMillion.input.toFixed(2)} in and $${
      price.perMillion.output.toFixed(2)
    } out ` +
    `per million tokens (${price.source})${simulated ? ", simulated by the offline analyst" : ""}`,
  ];
  if (affordable !== null && affordable < articles) {
    lines.push(`  Budget    covers about ${affordable} of ${articles}; the rest would be skipped`);
  }
  if (estimate.tooExpensive > 0) {
    lines.push(
      `  Left out  ${count(estimate.tooExpensive, "article")} whose worst case alone is over the budget`,
    );
  }
  if (estimate.day) {
    const { spent, budget: cap } = estimate.day;
    lines.push(`  Today     ${money(spent, simulated)} spent${cap === null ? "" : ` of ${formatUsd(cap)}`}`);
  }
  return lines.join("\n");
}

/** One line of progress for logs and pipes. */
export function describeProgress(progress: Progress): string {
  const { session, done, perMinute, etaMs, nextDueMs } = progress;
  if (session.status === "PAUSED") {
    const what = [`${done}/${session.total} articles`, "paused", describeReturn(session)];
    return what.filter((part) => part !== null).join(" · ");
  }
  return [
    `${done}/${session.total} articles`,
    `${money(session.spent, session.simulated)} of ${formatUsd(session.budget)}`,
    perMinute ? `${Math.round(perMinute)}/min` : null,
    etaMs !== null && done < session.total ? `about ${duration(etaMs)} left` : null,
    session.failed > 0 ? `${session.failed} failed` : null,
    session.retries > 0 ? count(session.retries, "retry", "retries") : null,
    nextDueMs !== null ? `next work in ${duration(nextDueMs)}` : null,
  ].filter((part) => part !== null).join(" · ");
}
