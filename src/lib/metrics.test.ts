import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exponentialBounds, Metrics } from "./metrics.ts";

describe("metrics", () => {
  it("exposes counters, gauges and observed values in order of name", () => {
    const metrics = new Metrics();
    metrics.gauge("b_gauge", "second", { id: 'a"b\\c\nd' }).set(2.5);
    metrics.counter("a_total", "first\nline").inc(3);
    metrics.observed("gauge", "c_now", "third", () => 7);
    assert.equal(
      metrics.expose(),
      [
        "# HELP a_total first\\nline",
        "# TYPE a_total counter",
        "a_total 3",
        "# HELP b_gauge second",
        "# TYPE b_gauge gauge",
        'b_gauge{id="a\\"b\\\\c\\nd"} 2.5',
        "# HELP c_now third",
        "# TYPE c_now gauge",
        "c_now 7",
        "",
      ].join("\n"),
    );
  });

  it("counts a histogram's values into cumulative buckets, bounds included", () => {
    const metrics = new Metrics();
    const histogram = metrics.histogram("h", "seconds", exponentialBounds(1, 2, 3));
    for (const value of [0.5, 1, 1.5, 4, 100]) histogram.observe(value);
    assert.deepEqual(metrics.expose().trim().split("\n").slice(2), [
      'h_bucket{le="1"} 2',
      'h_bucket{le="2"} 3',
      'h_bucket{le="4"} 4',
      'h_bucket{le="+Inf"} 5',
      "h_sum 107",
      "h_count 5",
    ]);
  });

  it("gives the same series to all who ask for it", () => {
    const metrics = new Metrics();
    metrics.counter("x", "", { b: "1", a: "2" }).inc();
    metrics.counter("x", "", { a: "2", b: "1" }).inc();
    assert.deepEqual(metrics.expose().trim().split("\n").slice(2), ['x{a="2",b="1"} 2']);
  });

  it("asks for the series of a family when somebody scrapes, and shows none without", () => {
    const metrics = new Metrics();
    let version: string | undefined;
    metrics.collected("gauge", "v", "", () => (version ? [[{ version }, 1]] : []));
    assert.equal(metrics.expose().trim(), "");
    version = "3.7";
    assert.deepEqual(metrics.expose().trim().split("\n").slice(2), ['v{version="3.7"} 1']);
  });

  it("writes numbers as Go does", () => {
    const metrics = new Metrics();
    const shown = (value: number) => {
      metrics.gauge("g", "").set(value);
      return metrics.expose().trim().split(" ").at(-1);
    };
    const cases: [number, string][] = [
      [0, "0"],
      [999_999, "999999"],
      [1_000_000, "1e+06"],
      [1_048_576, "1.048576e+06"],
      [123_456_789.5, "1.234567895e+08"],
      [2 ** 63, "9.223372036854776e+18"],
      [0.0001, "0.0001"],
      [0.00001, "1e-05"],
      [-1_048_576, "-1.048576e+06"],
      [Number.POSITIVE_INFINITY, "+Inf"],
    ];
    for (const [value, text] of cases) assert.equal(shown(value), text);
  });

  it("refuses one name for two kinds", () => {
    const metrics = new Metrics();
    metrics.counter("x", "");
    assert.throws(() => metrics.gauge("x", ""), /metric x is a counter, not a gauge/);
  });
});
