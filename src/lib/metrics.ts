/**
 * Counters, gauges and histograms, and their text for Prometheus.
 *
 * By hand because counting happens for each request and event: a counter here is a number in an object, and labels are
 * resolved once, when a series is made, never when it is counted. The exposition format is the small part.
 */

export type Labels = Readonly<Record<string, string>>;

/** One number that only grows. */
export class Counter {
  value = 0;
  inc(by = 1): void {
    this.value += by;
  }
}

/** One number that goes up and down. */
export class Gauge {
  value = 0;
  set(value: number): void {
    this.value = value;
  }
  inc(by = 1): void {
    this.value += by;
  }
}

/** How often values fell under each of its bounds. `bounds` are upper limits, ascending, without infinity. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= this.bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    this.counts[low]! += 1;
    this.sum += value;
    this.count++;
  }
}

/** `count` bounds from `start`, each `factor` times the one before. */
export function exponentialBounds(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start * factor ** i);
}

type Series = { labels: Labels; metric: Counter | Gauge | Histogram | (() => number) };
type Kind = "counter" | "gauge" | "histogram";
type Family = { name: string; help: string; kind: Kind; series: Series[] };

/** All metrics of one server. Several servers in one process each have their own. */
export class Metrics {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string, labels: Labels = {}): Counter {
    return this.#add(name, help, "counter", labels, new Counter());
  }

  gauge(name: string, help: string, labels: Labels = {}): Gauge {
    return this.#add(name, help, "gauge", labels, new Gauge());
  }

  histogram(name: string, help: string, bounds: readonly number[], labels: Labels = {}): Histogram {
    return this.#add(name, help, "histogram", labels, new Histogram(bounds));
  }

  /** A series whose value is asked for when somebody scrapes. */
  observed(
    kind: "counter" | "gauge",
    name: string,
    help: string,
    read: () => number,
    labels: Labels = {},
  ): void {
    this.#add(name, help, kind, labels, read);
  }

  #add<M extends Series["metric"]>(name: string, help: string, kind: Kind, labels: Labels, metric: M): M {
    let family = this.#families.get(name);
    if (!family) {
      family = { name, help, kind, series: [] };
      this.#families.set(name, family);
    }
    if (family.kind !== kind) throw new Error(`metric ${name} is a ${family.kind}, not a ${kind}`);
    family.series.push({ labels, metric });
    return metric;
  }

  /** The text that Prometheus scrapes (exposition format 0.0.4), families in order of name. */
  expose(): string {
    const lines: string[] = [];
    for (const name of [...this.#families.keys()].sort()) {
      const family = this.#families.get(name)!;
      lines.push(`# HELP ${name} ${family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`);
      lines.push(`# TYPE ${name} ${family.kind}`);
      for (const { labels, metric } of family.series) exposeSeries(lines, name, labels, metric);
    }
    return `${lines.join("\n")}\n`;
  }
}

function exposeSeries(lines: string[], name: string, labels: Labels, metric: Series["metric"]): void {
  if (metric instanceof Histogram) {
    let below = 0;
    for (let i = 0; i <= metric.bounds.length; i++) {
      below += metric.counts[i]!;
      const bound = i < metric.bounds.length ? formatNumber(metric.bounds[i]!) : "+Inf";
      lines.push(`${name}_bucket${formatLabels({ ...labels, le: bound })} ${below}`);
    }
    lines.push(`${name}_sum${formatLabels(labels)} ${formatNumber(metric.sum)}`);
    lines.push(`${name}_count${formatLabels(labels)} ${metric.count}`);
    return;
  }
  const value = typeof metric === "function" ? metric() : metric.value;
  lines.push(`${name}${formatLabels(labels)} ${formatNumber(value)}`);
}

function formatLabels(labels: Labels): string {
  const names = Object.keys(labels);
  if (names.length === 0) return "";
  const quoted = names.map((name) => {
    const value = labels[name]!.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
    return `${name}="${value}"`;
  });
  return `{${quoted.join(",")}}`;
}

function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return Number.isNaN(value) ? "NaN" : String(value);
}
