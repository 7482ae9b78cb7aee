/** Decodes the PNGs that are drawn here: 8 bits a channel, RGBA, not interlaced. */
import { inflateSync } from "node:zlib";

export interface Picture {
  width: number;
  height: number;
  /** Red, green, blue and opacity of a pixel. */
  at(x: number, y: number): [number, number, number, number];
}

export function readPng(png: Uint8Array): Picture {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, kind, interlace] = [png[24], png[25], png[28]];
  if (depth !== 8 || kind !== 6 || interlace !== 0) throw new Error(`PNG of another kind: ${depth}, ${kind}`);
  const parts: Uint8Array[] = [];
  for (let offset = 8; offset < png.length;) {
    const length = view.getUint32(offset);
    const name = new TextDecoder().decode(png.subarray(offset + 4, offset + 8));
    if (name === "IDAT") parts.push(png.subarray(offset + 8, offset + 8 + length));
    offset += length + 12;
  }
  const pixels = unfilter(inflateSync(new Uint8Array(parts.flatMap((part) => [...part]))), width * 4, height);
  return {
    width,
    height,
    at: (x, y) =>
      [...pixels.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)] as [number, number, number, number],
  };
}

function unfilter(raw: Uint8Array, stride: number, height: number): Uint8Array {
  const out = new Uint8Array(stride * height);
  for (let row = 0; row < height; row++) {
    const filter = raw[row * (stride + 1)];
    for (let column = 0; column < stride; column++) {
      const value = raw[row * (stride + 1) + 1 + column] ?? 0;
      const left = column >= 4 ? out[row * stride + column - 4] ?? 0 : 0;
      const up = row > 0 ? out[(row - 1) * stride + column] ?? 0 : 0;
      const upLeft = row > 0 && column >= 4 ? out[(row - 1) * stride + column - 4] ?? 0 : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, upLeft)][filter ?? 0] ?? 0;
      out[row * stride + column] = value + guess;
    }
  }
  return out;
}

function paeth(left: number, up: number, upLeft: number): number {
  const estimate = left + up - upLeft;
  const [a, b, c] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - upLeft)];
  return a <= b && a <= c ? left : b <= c ? up : upLeft;
}

/** Pixels of an area that are far from the colour of the picture's corner. */
export function countInk(
  picture: Picture,
  area: { x: number; y: number; width: number; height: number },
): number {
  const [red, green, blue] = picture.at(0, 0);
  let count = 0;
  for (let y = area.y; y < area.y + area.height; y++) {
    for (let x = area.x; x < area.x + area.width; x++) {
      const [r, g, b] = picture.at(x, y);
      if (Math.abs(r - red) + Math.abs(g - green) + Math.abs(b - blue) > 120) count++;
    }
  }
  return count;
}
