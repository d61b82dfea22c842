/** Prometheus' text format, as far as the plots need it. */

/** Sums of all samples of a name, labels left out; buckets of histograms by their bound. */
export interface Samples {
  readonly values: ReadonlyMap<string, number>;
  readonly buckets: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

export function parseMetrics(text: string): Samples {
  const values = new Map<string, number>();
  const buckets = new Map<string, Map<number, number>>();
  for (const line of text.split("\n")) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!match) continue;
    const [, name, labels = "", number] = match as unknown as [string, string, string?, string?];
    const value = Number(number);
    const bound = name.endsWith("_bucket") ? /le="([^"]+)"/.exec(labels)?.[1] : undefined;
    if (bound === undefined) {
      values.set(name, (values.get(name) ?? 0) + value);
      continue;
    }
    const histogram = name.slice(0, -"_bucket".length);
    const counts = buckets.get(histogram) ?? new Map<number, number>();
    const le = bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound);
    counts.set(le, (counts.get(le) ?? 0) + value);
    buckets.set(histogram, counts);
  }
  return { values, buckets };
}

/** How much a counter has grown a second. */
export function rate(before: Samples, now: Samples, name: string, seconds: number): number | undefined {
  const [from, to] = [before.values.get(name), now.values.get(name)];
  if (from === undefined || to === undefined || to < from || seconds <= 0) return undefined;
  return (to - from) / seconds;
}

/** A quantile of what a histogram has counted between two looks, undefined if that is nothing. */
export function quantile(before: Samples, now: Samples, name: string, q: number): number | undefined {
  const counts = now.buckets.get(name);
  if (!counts) return undefined;
  const old = before.buckets.get(name);
  const grown = [...counts]
    .sort(([a], [b]) => a - b)
    .map(([le, n]) => [le, n - (old?.get(le) ?? 0)] as const);
  const total = grown.at(-1)?.[1] ?? 0;
  if (total <= 0) return undefined;
  let below = 0;
  let from = 0;
  for (const [le, count] of grown) {
    if (count >= q * total) {
      if (le === Number.POSITIVE_INFINITY) return from;
      return from + ((le - from) * (q * total - below)) / Math.max(1, count - below);
    }
    below = count;
    from = le;
  }
  return from;
}
