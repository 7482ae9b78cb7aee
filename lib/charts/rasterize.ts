/**
 * SVG to PNG by resvg compiled to WebAssembly: no native library and no other program, so the service needs neither
 * the permission to load the one nor to run the other. The fonts come from a package; those of the machine are not
 * looked at, so a picture is the same everywhere.
 */
const WASM = "@resvg/resvg-wasm/index_bg.wasm";
const FONTS = [
  "@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf",
  "@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf",
];

/**
 * What the fonts lack: every script but Latin, Greek and Cyrillic, and pictures. They would be drawn as boxes; an
 * ellipsis says the same, that something is left out. SVG shows them, because browsers have fonts for all.
 */
const UNDRAWABLE = new RegExp(
  "(?:[\\u200c\\u200d\\ufe0f\\u2600-\\u27bf\\u3000-\\u30ff\\uff00-\\uffef\\u{1f000}-\\u{1faff}]|" +
    "[^\\p{sc=Latin}\\p{sc=Greek}\\p{sc=Cyrillic}\\p{sc=Common}\\p{sc=Inherited}])+",
  "gu",
);

interface Rasterizer {
  Resvg: typeof import("@resvg/resvg-wasm").Resvg;
  fonts: Uint8Array[];
}

let rasterizer: Promise<Rasterizer> | null = null;

/** Only the first picture pays for the module and the fonts; a failed start is tried again by the next one. */
async function loadRasterizer(): Promise<Rasterizer> {
  const { createRequire } = await import("node:module");
  const { resolve } = createRequire(import.meta.url);
  const read = (file: string) => Deno.readFile(resolve(file));
  const [{ initWasm, Resvg }, wasm, fonts] = await Promise.all([
    import("@resvg/resvg-wasm"),
    read(WASM),
    Promise.all(FONTS.map(read)),
  ]);
  // Last, because it works only once in a process.
  await initWasm(wasm);
  return { Resvg, fonts };
}

export async function rasterize(svg: string, scale: number): Promise<Uint8Array> {
  rasterizer ??= loadRasterizer().catch((error) => {
    rasterizer = null;
    throw error;
  });
  const { Resvg, fonts } = await rasterizer;
  const document = new Resvg(drawable(svg), {
    fitTo: { mode: "zoom", value: scale },
    font: { fontBuffers: fonts, defaultFontFamily: "Inter", sansSerifFamily: "Inter" },
  });
  try {
    const image = document.render();
    try {
      return image.asPng();
    } finally {
      // WebAssembly memory is not garbage collected.
      image.free();
    }
  } finally {
    document.free();
  }
}

/** Accents that no ready-made letter has are dropped: the fonts would draw boxes over the letters. */
function drawable(svg: string): string {
  return svg.normalize("NFC").replace(/\p{M}+/gu, "").replace(UNDRAWABLE, "…");
}
