import { describe, expect, it } from "vitest";
import { modelCosts, renderPng, sessionBurn, spendByDay, topicTrends } from "../../lib/charts/charts.ts";
import { cleanText, fitText, measureText, wrapText } from "../../lib/charts/text.ts";
import { escapeXml } from "../../lib/charts/serialize_svg.ts";
import { micros } from "../../lib/money.ts";
import { checkXml, drawChart } from "./read_svg.ts";
import { minuteAfter, sampleSessions } from "./samples.ts";
import { spendBySession } from "../../lib/charts/spend_by_session.ts";

const HOSTILE: Record<string, string> = {
  markup: `</text><script>alert(1)</script><style>*{display:none}</style>`,
  attribute: `" onload="alert(1)" x="`,
  entity: "&lt;b&gt; &amp; &#x3c; &unknown; ]]> <!-- <![CDATA[",
  controls: "a\u0000b\u0008c\u001b[31md\u007fe\ufffef\uffff",
  lines: "one\ntwo\r\nthree\u2028four\tfive",
  loneSurrogates: "high \ud83d low \udc00 end",
  override: "safe \u202e gnp.exe \u2066 isolate \u2069 \u200f mark",
  invisible: "zero\u200bwidth\ufeff\u2060joined\u00adsoft",
  zalgo: "Z" + "\u0301\u0317\u0489".repeat(200) + "algo",
  rightToLeft: "سوق البيتكوين שוק הביטקוין",
  emoji: "🚀🔥👨‍👩‍👧‍👦🏳️‍🌈 rockets",
  long: "long ".repeat(2000),
  longWord: "W".repeat(10_000),
  template: "${7*7} {{constructor}} %s %n $1 $& var(--x)",
  empty: "",
  spaces: " \u00a0\u3000 ",
};

/** Controls, directions, invisible marks and what XML does not allow. */
// deno-lint-ignore no-control-regex -- these are what must not be left
const FORBIDDEN = /[\u0000-\u001f\u007f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/;

describe.each(Object.entries(HOSTILE))("a name with %s", (_, text) => {
  const charts = {
    topics: topicTrends({
      rows: [{ topic: text, before: 9, now: 2 }, { topic: "b", before: 1, now: 2 }],
      before: text,
      now: text,
    }),
    models: modelCosts({ rows: [{ model: text, cost: micros(5000), used: true }], work: text }),
    uses: spendByDay({
      rows: [{ day: "2026-11-12", use: text, spent: micros(5) }, {
        day: "2026-11-12",
        use: "b",
        spent: micros(5),
      }],
    }),
    events: sessionBurn({
      readings: [{ at: minuteAfter(0), spent: micros(1), analyzed: 1 }, {
        at: minuteAfter(9),
        spent: micros(2),
        analyzed: 2,
      }],
      budget: micros(10),
      thresholds: [{ label: text, percent: 67 }],
      events: [{ at: minuteAfter(3), label: text }],
    }),
    title: spendBySession({ sessions: sampleSessions(3) }),
  };

  it.each(Object.entries(charts))("stays text, and short, in the chart of %s", async (_name, chart) => {
    const { svg, root, texts } = await drawChart(chart, { title: text });
    checkXml(svg);
    expect([...root.querySelectorAll("script, style, image, a")]).toEqual([]);
    expect(svg).not.toMatch(/<(?!\/?(?:svg|title|desc|g|rect|path|text|tspan|line|circle)\b)/);
    expect(svg).not.toMatch(/<[^>]*\son[a-z]+=/);
    expect(svg).not.toMatch(FORBIDDEN);
    expect(svg.isWellFormed()).toBe(true);
    expect(svg.length).toBeLessThan(20_000);
    for (const one of texts) expect(measureText(one, 14)).toBeLessThan(800);
  });

  it("can be drawn as a picture", async () => {
    expect((await renderPng(charts.topics, { scale: 1, title: text })).length).toBeGreaterThan(1000);
  });
});

describe("texts for labels", () => {
  it("are cut by what a reader sees as one letter", () => {
    const family = "👨‍👩‍👧‍👦";
    const cut = fitText(family.repeat(30), 120, 14);
    expect(cut.endsWith("…")).toBe(true);
    expect(cut.slice(0, -1).replaceAll(family, "")).toBe("");
  });

  it("fit the width they are cut to", () => {
    for (const text of [...Object.values(HOSTILE), "plain", "WWWWWWWWWW", "iiiiiiiiii"]) {
      expect(measureText(fitText(text, 100, 14), 14)).toBeLessThanOrEqual(100);
    }
  });

  it("break between words and end with an ellipsis where lines run out", () => {
    expect(wrapText("one two three", 1000, 14, 2)).toEqual(["one two three"]);
    const lines = wrapText("word ".repeat(60), 200, 14, 3);
    expect(lines).toHaveLength(3);
    expect(lines[2]?.endsWith("…")).toBe(true);
    for (const line of lines) expect(measureText(line, 14)).toBeLessThanOrEqual(200);
  });

  it("keep the joiners that scripts and emoji need", () => {
    expect(cleanText("می\u200cخواهم 👩‍🚀")).toBe("می\u200cخواهم 👩‍🚀");
  });

  it("are escaped for text and for attributes alike", () => {
    expect(escapeXml(`<a b="c" d='e'>&`)).toBe("&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  });
});
