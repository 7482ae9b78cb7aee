/** Sums that grow in steps, drawn over time. */
import type { Reading, Runs } from "./readings.ts";
import type { Frame, Marks } from "./types.ts";

/** A step line for each run, a dot for a reading that stands alone, and a dashed bridge over each gap. */
export function stepMarks<R extends Reading>(
  frame: Frame,
  { runs, gaps }: Runs<R>,
  value: (reading: R) => number,
  color: string,
): Marks {
  const { plot, paint } = frame;
  const points = runs.flatMap((run, index) =>
    run.map((one) => ({ x: one.at.getTime(), y: value(one), run: index }))
  );
  const alone = runs.filter((run) => run.length === 1).flat();
  const bridges = gaps.map(({ before, after }) => ({
    x1: before.at.getTime(),
    x2: after.at.getTime(),
    y1: value(before),
    y2: value(after),
  }));
  return [
    plot.areaY(points, { x: "x", y: "y", z: "run", curve: "step-after", fill: color, fillOpacity: 0.14 }),
    plot.link(bridges, {
      x1: "x1",
      x2: "x2",
      y1: "y1",
      y2: "y2",
      stroke: paint.muted,
      strokeDasharray: "5,4",
    }),
    plot.line(points, { x: "x", y: "y", z: "run", curve: "step-after", stroke: color, strokeWidth: 2.5 }),
    plot.dot(alone, { x: ({ at }: R) => at.getTime(), y: value, r: 4, fill: color }),
    plot.ruleY([0], { stroke: paint.muted }),
  ];
}
