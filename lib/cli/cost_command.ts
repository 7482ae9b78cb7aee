/** `desk cost`: what was paid, by day and by use. */
import type { Command } from "commander";
import type { CostLine, CostReport } from "../budget/costs.ts";
import { formatUsd, type Micros } from "../money.ts";
import { parseCount } from "./arguments.ts";
import { withDesk } from "./context.ts";
import { count, money, print, printJson } from "./output.ts";
import { type Column, formatTable } from "./table.ts";

export function addCostCommand(program: Command): void {
  program.command("cost").description("what was paid, by day, model and search")
    .option("--days <n>", "UTC days up to today", parseCount, 30)
    .option("--json", "one JSON document")
    .action(async ({ days, json }: { days: number; json?: boolean }) => {
      await withDesk("cost", async ({ desk }) => {
        const report = await desk.costs(days);
        if (json) printJson(report);
        else print(describeCosts(report));
      });
    });
}

export function describeCosts(report: CostReport): string {
  if (report.total.length === 0) return `No paid call in the last ${count(report.days, "day")}`;
  const lines = report.total.map((line) =>
    `${money(line.spent, line.simulated)} in ${count(report.days, "day")}: ${
      count(line.calls, "call")
    } for ` +
    `${count(line.articles, "article")}, ${
      formatUsd(Math.round(line.spent / line.articles) as Micros)
    } an article` +
    describeOdd(line)
  );
  lines.push(
    "",
    formatTable([{ title: "day" }, ...COLUMNS], report.byDay.map((line) => [line.day, ...cells(line)])),
  );
  lines.push(
    "",
    formatTable(
      [{ title: "use" }, { title: "model" }, ...COLUMNS],
      report.byUse.map((line) => [line.kind, `${line.provider}/${line.model}`, ...cells(line)]),
    ),
  );
  return lines.join("\n");
}

const COLUMNS: Column[] = [
  { title: "calls", align: "right" },
  { title: "articles", align: "right" },
  { title: "paid", align: "right" },
  { title: "tokens in", align: "right" },
  { title: "out", align: "right" },
  { title: "credits", align: "right" },
];

function cells(line: CostLine): (string | number)[] {
  return [
    line.calls,
    line.articles,
    money(line.spent, line.simulated),
    line.input_tokens.toLocaleString("en-US"),
    line.output_tokens.toLocaleString("en-US"),
    line.credits,
  ];
}

function describeOdd(line: CostLine): string {
  return [
    line.held > 0 ? `; ${formatUsd(line.held)} held` : "",
    line.unknown > 0 ? `; of it ${formatUsd(line.unknown)} with an unknown outcome` : "",
    line.overrun > 0 ? `; ${formatUsd(line.overrun)} billed above holds` : "",
  ].join("");
}
