import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { markdownToText } from "../../lib/articles/markdown_to_text.ts";

describe("Markdown becomes plain text", () => {
  it("keeps the words of headings, emphasis, links and code, and none of their marks", () => {
    const text = markdownToText(
      "# Fees *rise*\n\nSee **the [report](https://example.org/r)** on `OP_RETURN`\nand ~~old~~ news.",
    );
    expect(text).toBe("Fees rise\n\nSee the report on OP_RETURN and old news.");
  });

  it("reads reference links as their text, whether or not anything defines them", () => {
    const text = markdownToText(
      "A [post][p1] on [taproot][topic\ntaproot], [BIP340][] and [LND].\n\n[p1]: https://example.org/1\n[lnd]: /x 'LND'",
    );
    expect(text).toBe("A post on taproot, BIP340 and LND.");
  });

  it("leaves brackets alone that are the author's", () => {
    expect(markdownToText("He said [sic] so, see a[0] and `m[1][2]`.")).toBe(
      "He said [sic] so, see a[0] and m[1][2].",
    );
  });

  it("drops link definitions also in lists, in quotes, with their target missing or on the next line", () => {
    const text = markdownToText(
      "Text.\n[a]: {{ base }}\n> [b]: <https://e.org/a b>\n- item\n  [c]: https://e.org 'title'\n\n[d]:\n  /path\n",
    );
    expect(text).toBe("Text.\n\n- item");
  });

  it("drops footnote marks and keeps what the footnotes say", () => {
    expect(markdownToText("Miners vote.[^1] Really.\n\n[^1]:\n    With their\n    blocks.\n\nThe end.")).toBe(
      "Miners vote. Really.\n\nWith their blocks.\n\nThe end.",
    );
  });

  it("drops Jekyll's tags, comments and attribute lists", () => {
    const text = markdownToText(
      "{% include a.md %}\n{% comment %}secret{% endcomment %}\n## Fees {#fees}\n{:.no_toc}\n\n* TOC\n{:toc}\n\n" +
        "- {:#item} one {{page.nothing}}\n",
    );
    expect(text).toBe("Fees\n\n- one");
  });

  it("fills in what a page prints of itself and keeps the texts that an include is given", () => {
    expect(
      markdownToText(
        '{% capture c %}Alice & Bob{% endcapture %}{{page.excerpt}}\n\n{{ c }}\n\n{% include q.md id="4" q="Why do nodes relay at all?" %}',
        { excerpt: "A short word." },
      ),
    ).toBe("A short word.\n\nAlice & Bob\n\nWhy do nodes relay at all?");
  });

  it("does not let a captured text multiply without bound", () => {
    const bomb = `{% capture x %}${"a".repeat(10_000)}{% endcapture %}${"{{x}}".repeat(100_000)}`;
    expect(markdownToText(bomb).length).toBeLessThan(300_000);
  });

  it("drops raw HTML, scripts and comments, and reads Markdown inside HTML boxes", () => {
    const text = markdownToText(
      '<div markdown="1" class="callout">\n### Box\n**Bold** <b>word</b>\n</div>\n<script>alert(1)</script>\n' +
        "<style>p {}</style>\n\n<!-- note -->Tail<br>end",
    );
    expect(text).toBe("Box\n\nBold word\n\nTail\nend");
  });

  it("makes readable lists, nested and numbered, and one line a table row", () => {
    expect(markdownToText("1. one\n2. two\n   - deep\n\n| a | b |\n|---|---|\n| 1 | 2 |")).toBe(
      " 1. one\n 2. two\n    - deep\n\na | b\n1 | 2",
    );
    expect(markdownToText("| no | head |\n| 1 | 2 |")).toBe("no | head\n1 | 2");
  });

  it("keeps program text as it is", () => {
    expect(markdownToText("```rust\nlet a = b[0] * 2; // **not bold** {:?}\n  if x { y }\n```")).toBe(
      "let a = b[0] * 2; // **not bold** {:?}\n  if x { y }",
    );
  });

  const fragment = fc.oneof(
    fc.constantFrom(
      "# Title",
      "**bold**",
      "[text][label]",
      "[label]: https://example.org/x",
      "[label]: {{ base }}page",
      "{% include x.md %}",
      "{% comment %}",
      "{% endcomment %}",
      "{% capture x %}",
      "{% endcapture %}",
      "{{ x }}",
      "{{x}}{{x}}",
      "{:#id}",
      "[^1]",
      "[^1]: note",
      "    indented",
      "```",
      "> quote",
      "- item",
      "1. item",
      "| a | b |",
      "|---|---|",
      "<div>",
      "</div>",
      "<!--",
      "-->",
      "![image](x.png)",
      "![image][x]",
      "\\[escaped\\]",
      "`code [^a-z]`",
      "***",
      "[[[[",
      "",
    ),
    fc.lorem({ maxCount: 5 }),
    fc.string({ unit: "binary", maxLength: 12 }),
  );

  it("never throws and never leaves link definitions or Liquid tags, whatever the fragments", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fragment, fc.constantFrom("\n", "\n\n", " ")), { maxLength: 30 }),
        (parts) => {
          const text = markdownToText(parts.map(([part, end]) => part + end).join(""));
          expect(text).not.toMatch(/^\s*\[[^\[\]\n]+\]:\s*https?:\/\//m);
          expect(text).not.toMatch(/\{%[^{}]*%\}/);
          expect(text).not.toMatch(/\{\{[^{}\n]*\}\}/);
          expect(text).not.toMatch(/\n{3,}|[ \t]$/m);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it("takes hostile nesting without hanging; what is too deep is refused by name", () => {
    for (const piece of ["[", "> ", "- ", "*a ", "`", "![", "<div>", "**a", "[a](", "{{", "{%", "| ", "a_"]) {
      const started = performance.now();
      try {
        markdownToText(piece.repeat(5_000));
      } catch (error) {
        expect(String(error), piece).toBe("RangeError: its quotes or lists are nested too deeply");
      }
      expect(performance.now() - started, piece).toBeLessThan(5_000);
    }
  });
});
