/** Where the texts of a drawn chart stand on the page, to find those that run out of it or into each other. */
import { measureText } from "../../lib/charts/text.ts";
import type { Element } from "./read_svg.ts";

export interface TextBox {
  text: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export function findTextBoxes(root: Element): TextBox[] {
  return [...root.querySelectorAll("text")].flatMap((text) => {
    const lines = [...text.querySelectorAll("tspan")];
    if (lines.length === 0) return [placeLine(text, text, 0)];
    // Each line of a tick stands one em below the one before.
    return lines.map((line, index) => placeLine(line, text, index));
  }).filter(({ text }) => text.trim() !== "");
}

function placeLine(line: Element, text: Element, row: number): TextBox {
  const size = Number(inherited(text, "font-size") ?? 14);
  const first = text.querySelector("tspan") ?? text;
  const [x, y] = offsetOf(text);
  const baseline = y + lengthOf(text.getAttribute("y"), size) +
    (first === text ? 0 : lengthOf(first.getAttribute("y"), size)) + lengthOf(text.getAttribute("dy"), size) +
    row * size;
  const start = x + lengthOf(text.getAttribute("x"), size);
  const width = measureText(line.textContent, size);
  const anchor = inherited(text, "text-anchor") ?? "start";
  const left = anchor === "end" ? start - width : anchor === "middle" ? start - width / 2 : start;
  return {
    text: line.textContent,
    left,
    right: left + width,
    top: baseline - size * 0.72,
    bottom: baseline + size * 0.1,
  };
}

function lengthOf(value: string | null, size: number): number {
  return value === null ? 0 : value.endsWith("em") ? parseFloat(value) * size : parseFloat(value);
}

function inherited(element: Element, name: string): string | null {
  for (let one: Element | null = element; one; one = one.parentElement) {
    const value = one.getAttribute(name);
    if (value !== null) return value;
  }
  return null;
}

/** Translations of an element and the groups around it, added up. */
export function offsetOf(element: Element): [number, number] {
  let [x, y] = [0, 0];
  for (let one: Element | null = element; one; one = one.parentElement) {
    const match = /translate\(([-\d.]+),([-\d.]+)\)/.exec(one.getAttribute("transform") ?? "");
    x += Number(match?.[1] ?? 0);
    y += Number(match?.[2] ?? 0);
  }
  return [x, y];
}

/** Pairs of texts that share pixels. */
export function findOverlaps(boxes: readonly TextBox[]): string[] {
  return boxes.flatMap((a, index) =>
    boxes.slice(index + 1)
      .filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
      .map((b) => `${a.text} | ${b.text}`)
  );
}
