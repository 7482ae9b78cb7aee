/**
 * Prometheus metrics, read from Postgres when they are asked for. Names and units by the Prometheus convention: base
 * units (dollars, seconds), `_total` for what never falls: what a recovery, an operator's word or the cleanup takes back
 * is a gauge. No label takes values without bound. The figures are those of the database, the same in every process: with
 * several, take `max by`, not `sum`.
 */
import { Counter, Gauge, Registry } from "prom-client";
import type { Queryable } from "../database/port.ts";
import {
  countUnread,
  type DeskFigures,
  readFigures,
  readSpend,
  type SpendFigure,
} from "./metrics_queries.ts";
import { DEAR_CALLS, DEAR_REPORT, Ration } from "./ration.ts";

/** Spend of days that are over hardly changes (an unknown outcome that is resolved): read again after this, ms. */
const PAST_KEPT_MS = 600_000;
/** Models beyond this many are counted as "other": a label must not grow without bound. */
const MOST_MODELS = 20;
const MICROS = 1_000_000;

export class MetricsReader {
  readonly #db: Queryable;
  #past: { day: string; at: number; spend: SpendFigure[] } | null = null;
  #reading: Promise<SpendFigure[]> | null = null;
  readonly #recent = new Ration<SpendFigure[]>((spend) =>
    spend.reduce((sum, { calls }) => sum + calls, 0) > DEAR_CALLS
  );
  readonly #unread = new Ration<number>((unread) => unread > DEAR_REPORT);

  constructor(db: Queryable) {
    this.#db = db;
  }

  /** Reads the days that are over, so that the first scrape need not wait for them. A failure shows at the scrape. */
  warm(): void {
    this.#readPast().catch(() => {});
  }

  /** The text, and its content type. */
  async read(): Promise<{ text: string; type: string }> {
    const registry = new Registry();
    const [figures, spend, unread] = await Promise.all([
      readFigures(this.#db),
      this.#readSpend(),
      this.#unread.read("", () => countUnread(this.#db)),
    ]);
    addSessions(registry, figures);
    addQueue(registry, figures, unread);
    addMoney(registry, figures);
    addSpend(registry, spend);
    addSelf(registry, figures);
    return { text: await registry.metrics(), type: registry.contentType };
  }

  /** Calls of today and yesterday anew (a hold may end after midnight), those before from memory. */
  async #readSpend(): Promise<SpendFigure[]> {
    const day = yesterday();
    const [past, recent] = await Promise.all([
      this.#readPast(),
      this.#recent.read(day, () => readSpend(this.#db, day, null)),
    ]);
    return [...past, ...recent];
  }

  /** What is kept too long is still told once more while it is read anew: a scrape waits at midnight at most. */
  async #readPast(): Promise<SpendFigure[]> {
    const day = yesterday();
    const kept = this.#past?.day === day ? this.#past : null;
    if (kept && performance.now() - kept.at < PAST_KEPT_MS) return kept.spend;
    this.#reading ??= readSpend(this.#db, null, day).then((spend) => {
      this.#past = { day, at: performance.now(), spend };
      return spend;
    }).finally(() => this.#reading = null);
    if (!kept) return await this.#reading;
    this.#reading.catch(() => {});
    return kept.spend;
  }
}

/** The UTC day before today. */
function yesterday(): string {
  return new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
}

function addSessions(registry: Registry, { sessions, totals, live, last_success }: DeskFigures): void {
  const states = gauge(registry, "nightdesk_sessions", "Sessions by state.", ["status"]);
  for (const { status, n } of sessions) states.set({ status }, n);
  const articles = gauge(
    registry,
    "nightdesk_session_articles",
    "Articles of all sessions by outcome; a recovery gives failed and skipped ones another chance.",
    ["outcome"],
  );
  articles.set({ outcome: "analyzed" }, totals.analyzed);
  articles.set({ outcome: "failed" }, totals.failed);
  articles.set({ outcome: "skipped" }, totals.skipped);
  counter(registry, "nightdesk_retries_total", "Attempts that were followed by another.").inc(totals.retries);
  counter(registry, "nightdesk_ungrounded_quotes_total", "Quotes dropped because their article lacks them.")
    .inc(totals.ungrounded);
  counter(registry, "nightdesk_stale_writes_total", "Writes refused from workers that had lost their claim.")
    .inc(totals.stale);
  gauge(
    registry,
    "nightdesk_session_failure_ratio",
    "Failed articles of those that ended, in the current session.",
  )
    .set(live && live.ended > 0 ? live.failed / live.ended : 0);
  if (last_success !== null) {
    gauge(registry, "nightdesk_last_success_timestamp_seconds", "When an article was last analysed.").set(
      last_success,
    );
  }
}

function addQueue(registry: Registry, { queue }: DeskFigures, unread: number): void {
  const items = gauge(registry, "nightdesk_queue_articles", "Articles of live sessions by state.", ["state"]);
  items.set({ state: "due" }, queue.due);
  items.set({ state: "waiting" }, queue.waiting);
  items.set({ state: "processing" }, queue.processing);
  gauge(registry, "nightdesk_queue_age_seconds", "How long the oldest due article has waited.")
    .set(Math.max(0, queue.oldest_due_seconds));
  gauge(registry, "nightdesk_unanalyzed_articles", "Articles nobody has analysed, ready or refused.").set(
    unread,
  );
}

function addMoney(registry: Registry, { live, unknown, days }: DeskFigures): void {
  const session = gauge(registry, "nightdesk_session_dollars", "Money of the current session.", ["part"]);
  for (const part of ["budget", "spent", "held"] as const) {
    session.set({ part }, (live?.[part] ?? 0) / MICROS);
  }
  const calls = gauge(registry, "nightdesk_unknown_calls", "Calls whose outcome nobody knows.", [
    "simulated",
  ]);
  const charged = gauge(registry, "nightdesk_unknown_dollars", "Charged for them.", ["simulated"]);
  for (const { simulated, calls: n, spent } of unknown) {
    calls.set({ simulated: String(simulated) }, n);
    charged.set({ simulated: String(simulated) }, spent / MICROS);
  }
  const day = gauge(registry, "nightdesk_day_dollars", "Money of the UTC day.", ["part", "simulated"]);
  for (const { simulated, budget, spent, held } of days) {
    if (budget !== null) day.set({ part: "budget", simulated: String(simulated) }, budget / MICROS);
    day.set({ part: "spent", simulated: String(simulated) }, spent / MICROS);
    day.set({ part: "held", simulated: String(simulated) }, held / MICROS);
  }
}

function addSpend(registry: Registry, spend: readonly SpendFigure[]): void {
  const labels = ["provider", "model", "kind", "simulated"];
  const calls = counter(
    registry,
    "nightdesk_calls_total",
    "Paid calls that ended, by the model that answered.",
    labels,
  );
  const spent = counter(
    registry,
    "nightdesk_spend_dollars_total",
    "Charged for calls that ended; nightdesk_unknown_dollars has those whose outcome nobody knows.",
    labels,
  );
  const overrun = counter(registry, "nightdesk_overrun_dollars_total", "Billed above holds.", labels);
  const known = new Set<string>();
  for (const { provider, model, kind, simulated, ...sums } of spend) {
    if (known.size < MOST_MODELS) known.add(model);
    const at = { provider, model: known.has(model) ? model : "other", kind, simulated: String(simulated) };
    calls.inc(at, sums.calls);
    spent.inc(at, sums.spent / MICROS);
    overrun.inc(at, sums.overrun / MICROS);
  }
}

function addSelf(registry: Registry, { alerts, crons, workers }: DeskFigures): void {
  const open = gauge(registry, "nightdesk_alerts_open", "Alerts whose condition lasts.", ["level"]);
  const kept = gauge(registry, "nightdesk_alerts", "Alerts of the last 90 days, and those that last.", [
    "level",
  ]);
  for (const each of alerts) {
    open.set({ level: each.level }, each.open);
    kept.set({ level: each.level }, each.kept);
  }
  const ok = gauge(
    registry,
    "nightdesk_cron_last_success_timestamp_seconds",
    "When a cron last did its work.",
    ["job"],
  );
  const failed = counter(registry, "nightdesk_cron_failures_total", "Runs of a cron that failed.", ["job"]);
  for (const { job, last_ok, failures } of crons) {
    if (last_ok !== null) ok.set({ job }, last_ok);
    failed.inc({ job }, failures);
  }
  gauge(registry, "nightdesk_workers", "Processes that work off sessions.").set(workers);
}

function gauge(registry: Registry, name: string, help: string, labelNames: string[] = []): Gauge {
  return new Gauge({ name, help, labelNames, registers: [registry] });
}

function counter(registry: Registry, name: string, help: string, labelNames: string[] = []): Counter {
  return new Counter({ name, help, labelNames, registers: [registry] });
}
