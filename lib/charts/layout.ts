/** Sizes that all charts share, in pixels of a chart drawn at its own size. */

/** Axis, legend and label texts. Legible on a phone that shows 800 pixels on its width. */
export const FONT_SIZE = 14;
export const TITLE_SIZE = 18;
export const LINE_HEIGHT = 1.3;
export const FONT_FAMILY = "Inter, system-ui, sans-serif";

export const PADDING = 16;
/** Right of the plot: half of the last tick's label stands there. */
export const MARGIN_RIGHT = 34;
/** Above a plot: the caption of its vertical axis, and air for the topmost tick label. */
export const MARGIN_TOP = 30;
/** Below a plot: the ticks, each line of their labels, and the axis's caption. */
export const TICK_SPACE = 10;
export const TICK_LINE = 14;
export const CAPTION = 22;

/** What the frame takes for granted left of the plot; panels that need less are wider than they were told. */
export const WIDEST_MARGIN = 80;

export const SMALLEST_WIDTH = 320;
export const SMALLEST_HEIGHT = 160;
export const LARGEST_SIDE = 2400;
