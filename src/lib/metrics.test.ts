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

  it("refuses one name for two kinds", () => {
    const metrics = new Metrics();
    metrics.counter("x", "");
    assert.throws(() => metrics.gauge("x", ""), /metric x is a counter, not a gauge/);
  });
});
