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
    // Most of what is timed is quicker than the first bound.
    let high = value <= this.bounds[0]! ? 0 : this.bounds.length;
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

type Metric = Counter | Gauge | Histogram | (() => number);
type Series = { readonly labels: Labels; metric: Metric };
type Kind = "counter" | "gauge" | "histogram";
/** What a family that is only known when somebody scrapes has then. */
type Collect = () => Iterable<readonly [Labels, number]>;
interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: Kind;
  /** By the text of their labels. */
  readonly series: Map<string, Series>;
  collect?: Collect;
}

/** All metrics of one server. Several servers in one process each have their own. */
export class Metrics {
  readonly #families = new Map<string, Family>();

  /** Asked for twice with the same labels, this and the next two give the same series. */
  counter(name: string, help: string, labels: Labels = {}): Counter {
    return this.#add(name, help, "counter", labels, () => new Counter());
  }

  gauge(name: string, help: string, labels: Labels = {}): Gauge {
    return this.#add(name, help, "gauge", labels, () => new Gauge());
  }

  histogram(name: string, help: string, bounds: readonly number[], labels: Labels = {}): Histogram {
    return this.#add(name, help, "histogram", labels, () => new Histogram(bounds));
  }

  /** A series whose value is asked for when somebody scrapes. */
  observed(
    kind: "counter" | "gauge",
    name: string,
    help: string,
    read: () => number,
    labels: Labels = {},
  ): void {
    this.#add(name, help, kind, labels, () => read);
  }

  /** A family whose series are asked for when somebody scrapes. One without series is not shown. */
  collected(kind: "counter" | "gauge", name: string, help: string, collect: Collect): void {
    this.#family(name, help, kind).collect = collect;
  }

  #family(name: string, help: string, kind: Kind): Family {
    let family = this.#families.get(name);
    if (!family) {
      family = { name, help, kind, series: new Map() };
      this.#families.set(name, family);
    }
    if (family.kind !== kind) throw new Error(`metric ${name} is a ${family.kind}, not a ${kind}`);
    return family;
  }

  #add<M extends Metric>(name: string, help: string, kind: Kind, labels: Labels, make: () => M): M {
    const { series } = this.#family(name, help, kind);
    const key = formatLabels(labels);
    const known = series.get(key);
    if (known) return known.metric as M;
    const metric = make();
    series.set(key, { labels, metric });
    return metric;
  }

  /** The text that Prometheus scrapes (exposition format 0.0.4), families in order of name. */
  expose(): string {
    const lines: string[] = [];
    for (const name of [...this.#families.keys()].sort()) {
      const { help, kind, series, collect } = this.#families.get(name)!;
      const collected = collect ? [...collect()] : [];
      if (series.size + collected.length === 0) continue;
      lines.push(`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`);
      lines.push(`# TYPE ${name} ${kind}`);
      for (const { labels, metric } of series.values()) exposeSeries(lines, name, labels, metric);
      for (const [labels, value] of collected) lines.push(`${name}${formatLabels(labels)} ${goFloat(value)}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

function exposeSeries(lines: string[], name: string, labels: Labels, metric: Metric): void {
  if (metric instanceof Histogram) {
    let below = 0;
    for (let i = 0; i <= metric.bounds.length; i++) {
      below += metric.counts[i]!;
      const bound = i < metric.bounds.length ? goFloat(metric.bounds[i]!) : "+Inf";
      lines.push(`${name}_bucket${formatLabels(labels, bound)} ${below}`);
    }
    lines.push(`${name}_sum${formatLabels(labels)} ${goFloat(metric.sum)}`);
    lines.push(`${name}_count${formatLabels(labels)} ${metric.count}`);
    return;
  }
  const value = typeof metric === "function" ? metric() : metric.value;
  lines.push(`${name}${formatLabels(labels)} ${goFloat(value)}`);
}

/** Sorted by name as Go's client library does it; a bucket's bound comes last. */
function formatLabels(labels: Labels, bound?: string): string {
  const quoted = Object.keys(labels)
    .sort()
    .map((name) => {
      const value = labels[name]!.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
      return `${name}="${value}"`;
    });
  if (bound !== undefined) quoted.push(`le="${bound}"`);
  return quoted.length === 0 ? "" : `{${quoted.join(",")}}`;
}

/**
 * A number as Go's strconv prints it (format 'g', shortest). Bounds are labels, and a label is compared as text: what
 * selects le="1.048576e+06" of etcd has to find ours.
 */
function goFloat(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  if (value === 0 || Number.isNaN(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < 1e6) return String(value);
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  const power = Number(exponent);
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
