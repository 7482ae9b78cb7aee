/**
 * Runs `work` over the values with at most `width` under way at once and yields the results in the order of the
 * values. When it is left early, what is under way is awaited by nobody and its failure is not reported.
 */
export async function* mapInOrder<Value, Result>(
  values: Iterable<Value>,
  width: number,
  work: (value: Value, index: number) => Promise<Result>,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = [];
  let index = 0;
  for (const value of values) {
    const started = work(value, index++);
    started.catch(() => {});
    underWay.push(started);
    if (underWay.length >= width) yield await underWay.shift()!;
  }
  for (const started of underWay) yield await started;
}
