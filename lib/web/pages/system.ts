/** The machinery: processes and crons, alive or not. */
import { html } from "hono/html";
import { describeInabilities, isWorker, type PresentProcess } from "../../batches/worker/presence.ts";
import type { CronState } from "../../crons/read_crons.ts";
import type { Html, Page } from "./layout.ts";
import { showTable, showTime } from "./words.ts";

export function systemPage(
  processes: readonly PresentProcess[],
  crons: readonly CronState[],
  database: string,
): Page {
  return {
    title: "System",
    place: "/system",
    body: html`<h1>System</h1>
<p class="muted">Database: ${database}</p>
<h2>Processes</h2>
<div id="processes" data-live>${
      processes.some(isWorker) ? "" : html`<p class="bad">No worker is alive: nothing is analysed.</p>`
    }${
      processes.length === 0 ? "" : showTable("Who is alive", [
        { title: "process", show: ({ worker_id }) => html`<code>${worker_id}</code>` },
        { title: "role", show: ({ role }) => role },
        { title: "machine", show: ({ host }) => host ?? "" },
        { title: "version", show: ({ version }) => version ?? "" },
        { title: "articles now", number: true, show: ({ under_way }) => under_way },
        { title: "since", show: ({ started_at }) => showTime(started_at) },
        { title: "seen", show: ({ seen_at }) => showTime(seen_at) },
      ], processes)
    }${describeInabilities(processes).map((line) => html`<p class="warn">${line}</p>`)}</div>
<h2>Crons</h2>
<div id="crons" data-live>${
      showTable("What runs without a person", [
        { title: "job", show: ({ job }) => job.replaceAll("_", " ") },
        { title: "state", show: describeCron },
        { title: "schedule (UTC)", show: ({ schedule }) => html`<code>${schedule}</code>` },
        { title: "last success", show: ({ last_ok_at }) => showTime(last_ok_at) },
        { title: "next", show: ({ next_slot }) => next_slot ? showTime(next_slot) : "" },
        { title: "runs", number: true, show: ({ runs }) => runs },
        { title: "failed", number: true, show: ({ failures }) => failures },
        { title: "trouble", wide: true, show: ({ last_error }) => last_error ?? "" },
      ], crons)
    }</div>`,
  };
}

function describeCron(cron: CronState): Html {
  if (cron.running) return html`<span class="state good">runs</span>`;
  if (cron.overdue) return html`<span class="state bad">overdue</span>`;
  if (cron.next_slot === null) return html`<span class="state muted">off</span>`;
  if (cron.last_error) return html`<span class="state warn">failed</span>`;
  return html`<span class="state good">${cron.last_ok_at ? "fine" : "waits"}</span>`;
}
