/** Two decimals within 0..1. */
export function roundShare(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 100) / 100;
}

/** 0 at 0, a half at `half`, towards 1 from there. */
export function saturate(value: number, half: number): number {
  return value / (value + half);
}
