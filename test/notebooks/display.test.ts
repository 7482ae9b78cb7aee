import { describe, expect, it } from "vitest";
import { DOMParser } from "linkedom";
import { spendByDay } from "../../lib/charts/charts.ts";
import { micros } from "../../lib/money.ts";
import { chart } from "../../notebooks/kit/chart.ts";
import { DISPLAY, type Displayable, type MediaBundle } from "../../notebooks/kit/displayable.ts";
import { type Cell, lines, link, quote } from "../../notebooks/kit/html.ts";
import { code, missing, part, points, say } from "../../notebooks/kit/say.ts";
import { table } from "../../notebooks/kit/table.ts";
import {
  change,
  fineUsd,
  meanUsd,
  median,
  percent,
  quantile,
  seconds,
  usd,
  used,
} from "../../notebooks/kit/words.ts";
import { findLostOutputs, notebookSchema, tidyNotebook } from "../../notebooks/headless/notebook_file.ts";

const HOSTILE = [
  '<script>alert("x")</script>',
  "</td></tr></table><img src=x onerror=alert(1)>",
  "&lt;script&gt; &amp; 'quotes' \"too\"",
  "**bold** `code` [link](javascript:alert(1))",
  "right\u202eto\u202cleft \u200bzero\u0000nul\u0007bell \ud800half",
  "line\nbreak\ttab",
];

async function bundleOf(thing: Displayable): Promise<MediaBundle> {
  return await thing[DISPLAY]();
}

function parse(html: string) {
  return new DOMParser().parseFromString(html, "text/html");
}

async function htmlOf(thing: Displayable): Promise<string> {
  return (await bundleOf(thing))["text/html"] ?? "";
}

describe("a table", () => {
  const rows = HOSTILE.map((title, index) => ({
    title,
    url: `javascript:alert(${index})`,
    cost: index * 12_345,
  }));
  const columns: Record<string, (row: (typeof rows)[number]) => Cell> = {
    "Title <b>": ({ title }) => title,
    "Link": ({ title, url }) => link(title, url),
    "Said": ({ title }) => lines([quote(title), title]),
    "Cost": ({ cost }) => usd(cost),
  };

  it("shows what strangers write as the text it is", async () => {
    const document = parse(
      `<body>${await htmlOf(table(rows, columns, { caption: HOSTILE[0] }))}</body>`,
    );
    const tags = new Set([...document.querySelectorAll("body *")].map((element) => element.localName));
    expect([...tags].sort()).toEqual(["br", "p", "strong", "table", "tbody", "td", "th", "thead", "tr"]);
    const attributes = new Set(
      [...document.querySelectorAll("body *")].flatMap((element) =>
        [...element.attributes].map(({ name }) => name)
      ),
    );
    expect([...attributes].sort()).toEqual(["align", "style"]);
    expect(document.querySelectorAll("tbody tr")).toHaveLength(HOSTILE.length);
    expect(document.querySelector("tbody td")?.textContent).toBe('<script>alert("x")</script>');
    const text = document.querySelector("body")?.textContent ?? "";
    for (const hidden of ["\u202e", "\u202c", "\u200b", "\u0000", "\u0007"]) {
      expect(text).not.toContain(hidden);
    }
    expect(text.isWellFormed()).toBe(true);
  });

  it("puts figures to the right, with their points below each other", async () => {
    const amounts = [{ n: 3, cost: 1_190_000 }, { n: 1_204, cost: 47_800 }, { n: 0, cost: 12 }];
    const shown = table(amounts, { "N": ({ n }) => n, "Cost": ({ cost }) => usd(cost), "Name": () => "a1" });
    const { "text/plain": plain } = await bundleOf(shown);
    expect(plain.split("\n")).toEqual([
      "    N       Cost  Name",
      "    3  $1.19\u2007\u2007\u2007\u2007  a1",
      "1,204  $0.0478\u2007\u2007  a1",
      "    0  $0.000012  a1",
    ]);
    const document = parse(await htmlOf(shown));
    expect([...document.querySelectorAll("th")].map((cell) => cell.getAttribute("align"))).toEqual([
      "right",
      "right",
      "left",
    ]);
  });

  it("says how many rows it leaves out, and what is missing when there are none", async () => {
    const many = Array.from({ length: 1_250 }, (_, n) => ({ n }));
    const { "text/plain": plain, "text/html": html } = await bundleOf(
      table(many, { N: ({ n }) => n }, { limit: 3 }),
    );
    expect(plain).toBe("N\n0\n1\n2\n… and 1,247 more");
    expect(html).toContain("… and 1,247 more");
    expect((await bundleOf(table([], { N: () => 1 }, { empty: "Nothing yet." })))["text/plain"]).toBe(
      "Nothing yet.",
    );
  });
});

describe("a sentence", () => {
  it("escapes what is put in, and stresses only what its author stresses", async () => {
    for (const text of HOSTILE) {
      const html = await htmlOf(say`A **${text}** and ${part`(**${text}**)`} and ${code(text)}.`);
      const document = parse(`<body>${html}</body>`);
      const tags = [...document.querySelectorAll("body *")].map((element) => element.localName);
      expect(tags).toEqual(["p", "strong", "strong", "code"]);
    }
  });

  it("reads well as plain text, with what is not there left out", async () => {
    const text = async (thing: Displayable) => (await bundleOf(thing))["text/plain"];
    expect(
      await text(say`Paid **${usd(1_500)}**${""} for
      ${3} articles${" (simulated)"}, ${null} left.`),
    ).toBe("Paid $0.0015 for 3 articles (simulated), – left.");
    expect(await text(missing("no call"))).toBe("Missing: no call");
    expect(await text(points([false, part`one`, undefined, "two"], "none"))).toBe("- one\n- two");
    expect(await text(points([false, null], "none"))).toBe("- none");
  });
});

describe("a link", () => {
  it.each(["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//host", "https://", "", null])(
    "is only text for %s",
    (url) => expect(link("text", url).html).toBe("text"),
  );

  it("leads to web addresses, with their marks escaped", () => {
    expect(link("a & b", 'https://h.example/?q="><script>').html).toBe(
      '<a href="https://h.example/?q=%22%3E%3Cscript%3E" rel="noopener noreferrer nofollow">a &amp; b</a>',
    );
  });
});

describe("a chart", () => {
  const drawn = spendByDay({ rows: [{ day: "2026-11-01", use: HOSTILE[0] ?? "", spent: micros(1_000) }] });

  it("is an SVG that follows the reader's system, a picture for viewers without SVG, and words", async () => {
    const bundle = await bundleOf(chart(drawn, { title: HOSTILE[1] ?? "" }));
    expect(bundle["text/plain"]).toMatch(/^\[chart\] .*: \$0\.0010 was spent/);
    expect(atob(bundle["image/png"] ?? "").slice(1, 4)).toBe("PNG");
    const document = parse(`<body>${bundle["text/html"]}</body>`);
    const images = document.querySelectorAll("body *");
    expect([...images].map((element) => element.localName)).toEqual(["img"]);
    const source = images[0]?.getAttribute("src") ?? "";
    const svg = new TextDecoder().decode(
      Uint8Array.from(
        atob(source.replace("data:image/svg+xml;base64,", "")),
        (letter) => letter.charCodeAt(0),
      ),
    );
    expect(svg).toContain("prefers-color-scheme:dark");
    expect(svg).not.toContain("<script");
  });
});

describe("figures", () => {
  it("are written as everywhere in the desk", () => {
    expect([usd(0), usd(1_190_000), meanUsd(10, 0), meanUsd(10, 3), fineUsd(940, 3)]).toEqual([
      "$0.0000",
      "$1.19",
      null,
      "$0.000003",
      "$0.000313",
    ]);
    expect([percent(1, 3), percent(1, 1_000), percent(0, 5), percent(1, 0)]).toEqual([
      "33 %",
      "<1 %",
      "0 %",
      null,
    ]);
    expect([used(999, 1_000), used(0, 0), change(80, 100), change(133, 100), change(1, 0)]).toEqual([
      "99 %",
      null,
      "−20 %",
      "+33 %",
      null,
    ]);
    expect([seconds(0), seconds(59_949), seconds(59_960), seconds(3_599_600), seconds(20_661_510)]).toEqual([
      "0.0 s",
      "59.9 s",
      "1 min 0 s",
      "1 h 0 min",
      "5 h 44 min",
    ]);
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([]), quantile([0, 10], 0.9)]).toEqual([
      2,
      2.5,
      null,
      9,
    ]);
  });
});

describe("a notebook's file", () => {
  const output = (part: number, of: number, data = {}) => ({
    output_type: "display_data",
    data: { "text/plain": ["x"], ...data },
    metadata: { nightdesk: { part, of } },
  });
  const notebook = (...outputs: unknown[]) => notebookOf(["a"], outputs);
  const notebookOf = (source: string | string[], outputs: unknown[]) =>
    notebookSchema.parse({
      cells: [{ cell_type: "markdown", metadata: {}, source: "" }, {
        cell_type: "code",
        metadata: { execution: { "iopub.execute_input": "2026-11-24T01:02:03Z" }, tags: ["kept"] },
        source,
        outputs,
      }],
      metadata: { language_info: { version: "6.0.3" } },
      nbformat: 4,
    });

  it("tells which outputs were lost on their way", () => {
    expect(findLostOutputs(notebook(output(1, 2), output(2, 2), output(1, 1)))).toEqual([]);
    expect(findLostOutputs(notebook(output(1, 2)))).toEqual([2]);
    expect(findLostOutputs(notebook(output(2, 2)))).toEqual([2]);
    expect(findLostOutputs(notebook(output(1, 3), output(3, 3)))).toEqual([2]);
    expect(findLostOutputs(notebook(output(1, 2), output(1, 1)))).toEqual([2]);
    expect(findLostOutputs(notebook({ output_type: "stream", text: "x" }))).toEqual([]);
    // All of them.
    const shows = ["const a = 1;\n", "await show(\n", "  a,\n", ");"];
    expect(findLostOutputs(notebookOf(shows, []))).toEqual([2]);
    expect(findLostOutputs(notebookOf(shows, [{ output_type: "stream", text: "x" }]))).toEqual([2]);
    expect(findLostOutputs(notebookOf(shows, [output(1, 1)]))).toEqual([]);
    expect(findLostOutputs(notebookOf("  await show(a);", []))).toEqual([]);
  });

  it("keeps nothing of the moment, and of a chart the picture that every host shows", () => {
    const tidied = tidyNotebook(notebook(output(1, 1, { "text/html": "<img>", "image/png": "x" })));
    expect(tidied.cells[1]).toEqual({
      cell_type: "code",
      metadata: { tags: ["kept"] },
      source: ["a"],
      outputs: [{
        output_type: "display_data",
        data: { "text/plain": ["x"], "image/png": "x" },
        metadata: {},
      }],
    });
    expect(JSON.stringify(tidied.metadata)).not.toContain("version");
  });
});
