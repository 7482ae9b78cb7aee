/**
 * Writes what the drawing library made as SVG text, by an allow-list: known elements and attributes pass, everything
 * else (style attributes and blocks, classes, ids, scripts, links) does not. So a chart can stand inline in a page
 * under a strict Content-Security-Policy, and no text in it can become markup.
 */

/** The part of a DOM node that is read here. */
export interface SvgNode {
  nodeType: number;
  localName: string;
  textContent: string | null;
  childNodes: Iterable<SvgNode>;
  attributes: Iterable<{ name: string; value: string }>;
}

const ELEMENTS = new Set(["g", "path", "rect", "line", "circle", "text", "tspan", "title"]);
const ATTRIBUTES = new Set([
  ...["x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "cx", "cy", "r", "rx", "ry", "width", "height", "d"],
  ...[
    "transform",
    "fill",
    "fill-opacity",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-dasharray",
    "opacity",
  ],
  ...[
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-miterlimit",
    "paint-order",
    "shape-rendering",
    "text-anchor",
  ],
  ...["font-size", "font-weight", "font-variant", "aria-hidden", "data-mark"],
]);
/** The library names its marks ("rect", "rule") by a label that would be read aloud; the chart has a description. */
const MARK_NAME = "aria-label";

const GEOMETRY = new Set([
  "x",
  "y",
  "x1",
  "x2",
  "y1",
  "y2",
  "cx",
  "cy",
  "r",
  "width",
  "height",
  "d",
  "transform",
]);

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text and for attribute values in double quotes. Characters that XML forbids are dropped. */
export function escapeXml(text: string): string {
  return text.toWellFormed()
    // deno-lint-ignore no-control-regex -- these are the ones to drop
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}

/** The children of a drawing's root element; `ink` replaces the library's `currentColor`. */
export function serializeChildren(root: SvgNode, ink: string): string {
  return [...root.childNodes].map((node) => serialize(node, ink)).join("");
}

function serialize(node: SvgNode, ink: string): string {
  if (node.nodeType === 3) return escapeXml(node.textContent ?? "");
  if (node.nodeType !== 1 || !ELEMENTS.has(node.localName)) return "";
  const attributes = [...node.attributes]
    .map(({ name, value }) => ({ name: name === MARK_NAME ? "data-mark" : name, value }))
    .filter(({ name }) => ATTRIBUTES.has(name))
    // The library's DOM does not keep an order of its own.
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .map(({ name, value }) => ` ${name}="${escapeXml(plainValue(name, value, ink))}"`)
    .join("");
  const content = serializeChildren(node, ink);
  return content === ""
    ? `<${node.localName}${attributes}/>`
    : `<${node.localName}${attributes}>${content}</${node.localName}>`;
}

/** Hundredths of a pixel are enough; 15 digits would double the size. */
function plainValue(name: string, value: string, ink: string): string {
  if (value === "currentColor") return ink;
  if (!GEOMETRY.has(name)) return value;
  return value.replace(
    /-?\d+\.\d{3,}(?:e-?\d+)?/g,
    (number) => String(Math.round(Number(number) * 100) / 100),
  );
}
