/** A breaker's report as lines for a person: every figure by its name, what was broken at the end. */

export function describeReport(report: { violations: string[] }): string {
  const { violations, ...figures } = report;
  return [
    ...describeFigures(figures, ""),
    "",
    violations.length === 0 ? "no rule was broken" : `broken: ${violations.length}`,
    ...violations.map((violation) => `  ${violation}`),
  ].join("\n");
}

function describeFigures(figures: object, indent: string): string[] {
  return Object.entries(figures).flatMap(([name, value]: [string, unknown]) => {
    if (name === "violations" || value === null) return [];
    if (typeof value === "object") return [`${indent}${name}`, ...describeFigures(value, `${indent}  `)];
    return [`${indent}${name.padEnd(40 - indent.length)} ${value}`];
  });
}
