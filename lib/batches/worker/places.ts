/** The places that a process has reserved and not used yet, by its own clock (ms, `performance.now()`). */
import { type Reserved, VALID_MS } from "./shared_rate.ts";

interface Row {
  /** When the first place left may be used, at the latest: the answer may have been long on its way. */
  opens: number;
  /** When it is lost, at the earliest: so may the question. */
  lapses: number;
  spacing: number;
  count: number;
  end: number;
}

export class Places {
  #rows: Row[] = [];

  /** @param askedAt When the question left. @param toldAt When the answer was here. */
  add({ count, firstMs, spacingMs, end }: Reserved, askedAt: number, toldAt: number): void {
    if (count === 0) return;
    this.#rows.push({
      opens: toldAt + firstMs,
      lapses: askedAt + firstMs + VALID_MS,
      spacing: spacingMs,
      count,
      end,
    });
  }

  /** Uses a place that is open now; false when none is. */
  take(now: number): boolean {
    this.#dropLapsed(now);
    const [row] = this.#rows;
    if (!row || row.opens > now) return false;
    drop(row, 1);
    if (row.count === 0) this.#rows.shift();
    return true;
  }

  /** Places that may still be used, now or later. */
  left(now: number): number {
    this.#dropLapsed(now);
    return this.#rows.reduce((sum, { count }) => sum + count, 0);
  }

  /** Places that may still be used `ms` from now. */
  lasting(now: number, ms: number): number {
    const then = now + ms;
    return this.#rows.reduce(
      (sum, { count, lapses, spacing }) =>
        sum + count - Math.min(count, Math.max(0, Math.ceil((then - lapses) / spacing))),
      0,
    );
  }

  /** When the next place opens, which may be long ago; null: there is none. */
  get opensAt(): number | null {
    return this.#rows[0]?.opens ?? null;
  }

  /** When the last one opens; in the past when there is none. */
  get lastOpensAt(): number {
    const row = this.#rows.at(-1);
    return row ? row.opens + (row.count - 1) * row.spacing : -Infinity;
  }

  /** Takes out the places that are not open yet at the end of what was reserved last; null: there are none. */
  takeUnopened(now: number): { count: number; end: number } | null {
    this.#dropLapsed(now);
    const row = this.#rows.at(-1);
    if (!row) return null;
    const open = row.opens > now ? 0 : Math.floor((now - row.opens) / row.spacing) + 1;
    const count = row.count - open;
    if (count <= 0) return null;
    row.count = open;
    if (open === 0) this.#rows.pop();
    return { count, end: row.end };
  }

  #dropLapsed(now: number): void {
    for (const row of this.#rows) {
      if (row.lapses >= now) break;
      drop(row, Math.min(row.count, Math.ceil((now - row.lapses) / row.spacing)));
    }
    while (this.#rows[0]?.count === 0) this.#rows.shift();
  }
}

function drop(row: Row, count: number): void {
  row.opens += count * row.spacing;
  row.lapses += count * row.spacing;
  row.count -= count;
}
