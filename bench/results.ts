/** Collects figures by metric and subject; a metric's value is the median of its figures. */
import { type Cell, table } from "../test/support/table.ts";

/** What a run compares: etcd, and the program that is measured against it. */
export type SubjectName = "etcd" | "ours";

export interface Metric {
  readonly title: string;
  readonly unit: string;
  readonly digits?: number;
  /** What is aimed at: ours divided by etcd's, or ours alone. */
  readonly goal?: {
    readonly ratioMin?: number;
    readonly ratioMax?: number;
    readonly max?: number;
  };
}

export class Results {
  readonly #metrics = new Map<string, Metric>();
  readonly #figures = new Map<string, number[]>();

  add(metric: Metric, subject: SubjectName, value: number): void {
    this.#metrics.set(metric.title, metric);
    const key = `${metric.title}/${subject}`;
    const figures = this.#figures.get(key) ?? [];
    this.#figures.set(key, figures);
    figures.push(value);
    console.error(`${subject.padEnd(4)} ${metric.title}: ${format(value, metric)} ${metric.unit}`);
  }

  median(title: string, subject: SubjectName): number | undefined {
    const figures = this.#figures.get(`${title}/${subject}`)?.toSorted((a, b) => a - b);
    if (!figures) return undefined;
    const middle = Math.floor(figures.length / 2);
    const upper = figures[middle] as number;
    return figures.length % 2 === 1 ? upper : (upper + (figures[middle - 1] as number)) / 2;
  }

  markdown(): string {
    const rows = [...this.#metrics.values()].map((metric): Cell[] => {
      const etcd = this.median(metric.title, "etcd");
      const ours = this.median(metric.title, "ours");
      const ratio = etcd !== undefined && ours !== undefined && etcd > 0 ? ours / etcd : undefined;
      return [
        `${metric.title}, ${metric.unit}`,
        etcd === undefined ? "" : format(etcd, metric),
        ours === undefined ? "" : format(ours, metric),
        ratio === undefined ? "" : `${ratio.toFixed(2)}x`,
        goalText(metric),
        met(metric, ours, ratio),
      ];
    });
    return table(["what", "etcd", "ours", "ours / etcd", "goal", "met"], rows);
  }

  json(): unknown {
    return [...this.#metrics.values()].map((metric) => ({
      ...metric,
      etcd: this.#of(metric.title, "etcd"),
      ours: this.#of(metric.title, "ours"),
    }));
  }

  #of(title: string, subject: SubjectName): unknown {
    return { median: this.median(title, subject), figures: this.#figures.get(`${title}/${subject}`) ?? [] };
  }
}

function format(value: number, metric: Metric): string {
  const digits = metric.digits ?? 0;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function goalText({ goal, unit }: Metric): string {
  if (goal?.ratioMin !== undefined) return `at least ${goal.ratioMin}x`;
  if (goal?.ratioMax !== undefined) return `at most ${goal.ratioMax}x`;
  return goal?.max === undefined ? "" : `at most ${goal.max} ${unit}`;
}

function met({ goal }: Metric, ours: number | undefined, ratio: number | undefined): string {
  if (!goal || ours === undefined) return "";
  if (goal.max !== undefined) return ours <= goal.max ? "yes" : "no";
  if (ratio === undefined) return "";
  return ratio >= (goal.ratioMin ?? 0) && ratio <= (goal.ratioMax ?? Number.POSITIVE_INFINITY) ? "yes" : "no";
}
