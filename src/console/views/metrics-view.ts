/** Plots of this member, from what it tells Prometheus. */
import { humanBytes } from "../bytes.ts";
import { h, messageOf } from "../dom.ts";
import { parseMetrics, quantile, rate, type Samples } from "../metrics-text.ts";
import { type Line, Plot } from "../plot.ts";
import type { MakeView } from "../view.ts";

const everyMs = 2_000;
/** Five minutes. */
const points = 150;
/** So much of the plot is there from the beginning: the lines come in from the right. */
const pointsMin = 30;

const perSecond = (value: number): string =>
  `${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en")}/s`;
const seconds = (value: number): string =>
  value < 1e-3
    ? `${Math.round(value * 1e6)} µs`
    : value < 1
      ? `${(value * 1e3).toPrecision(3)} ms`
      : `${value.toFixed(1)} s`;
const whole = (value: number): string => Math.round(value).toLocaleString("en");

/** A line's next value from two looks at the metrics. */
type Measure = (before: Samples, now: Samples, elapsedSeconds: number) => number | undefined;

interface Chart {
  readonly title: string;
  readonly format: (value: number) => string;
  readonly lines: Readonly<Record<string, Measure>>;
}

const rateOf =
  (name: string): Measure =>
  (before, now, elapsed) =>
    rate(before, now, name, elapsed);
const gaugeOf =
  (name: string): Measure =>
  (_before, now) =>
    now.values.get(name);
const quantileOf =
  (name: string, q: number): Measure =>
  (before, now) =>
    quantile(before, now, name, q);

const charts: readonly Chart[] = [
  {
    title: "Requests",
    format: perSecond,
    lines: { puts: rateOf("etcd_mvcc_put_total"), gets: rateOf("etcd_mvcc_range_total") },
  },
  {
    title: "Syncing the log",
    format: seconds,
    lines: {
      median: quantileOf("etcd_disk_wal_fsync_duration_seconds", 0.5),
      "99 %": quantileOf("etcd_disk_wal_fsync_duration_seconds", 0.99),
    },
  },
  {
    title: "Event-loop delay",
    format: seconds,
    lines: {
      median: quantileOf("etclite_event_loop_delay_seconds", 0.5),
      "99 %": quantileOf("etclite_event_loop_delay_seconds", 0.99),
    },
  },
  {
    title: "Database",
    format: humanBytes,
    lines: {
      size: gaugeOf("etcd_mvcc_db_total_size_in_bytes"),
      "in use": gaugeOf("etcd_mvcc_db_total_size_in_use_in_bytes"),
    },
  },
  {
    title: "Memory",
    format: humanBytes,
    lines: {
      resident: gaugeOf("process_resident_memory_bytes"),
      "store, unsaved": gaugeOf("etclite_store_overlay_bytes"),
    },
  },
  {
    title: "Clients",
    format: whole,
    lines: {
      connections: gaugeOf("etclite_open_connections"),
      watches: gaugeOf("etcd_debugging_mvcc_watcher_total"),
    },
  },
];

export const metricsView: MakeView = () => {
  const problem = h("p", { class: "problem", role: "alert" });
  const shown = charts.map((chart) => {
    const values = Object.keys(chart.lines).map((name): Line & { values: (number | undefined)[] } => ({
      name,
      values: [],
    }));
    return { chart, values, plot: new Plot(chart) };
  });
  let before: { at: number; samples: Samples } | undefined;
  const look = async (): Promise<void> => {
    const response = await fetch("/metrics");
    if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
    const now = { at: performance.now(), samples: parseMetrics(await response.text()) };
    problem.textContent = "";
    if (before !== undefined) {
      const elapsed = (now.at - before.at) / 1_000;
      for (const { chart, values, plot } of shown) {
        Object.values(chart.lines).forEach((measure, i) => {
          const line = values[i]!.values;
          line.push(measure(before!.samples, now.samples, elapsed));
          if (line.length > points) line.shift();
        });
        plot.draw(values, Math.max(pointsMin, values[0]!.values.length));
      }
    }
    before = now;
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isLeft = false;
  const loop = (delayMs: number): void => {
    look()
      .catch((error: unknown) => {
        problem.textContent = messageOf(error);
      })
      .finally(() => {
        if (!isLeft) timer = setTimeout(() => loop(everyMs), delayMs);
      });
  };
  loop(500);
  const element = h(
    "div",
    { class: "page" },
    problem,
    h(
      "div",
      { class: "plots" },
      shown.map(({ plot }) => plot.element),
    ),
  );
  return {
    element,
    show() {},
    leave() {
      isLeft = true;
      clearTimeout(timer);
    },
  };
};
