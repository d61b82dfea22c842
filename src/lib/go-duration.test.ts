import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatGoDuration, nanosToMs, parseGoDuration } from "./go-duration.ts";

describe("parseGoDuration", () => {
  it("reads what Go reads", () => {
    const cases: [string, number][] = [
      ["0", 0],
      ["-0", 0],
      ["+0", 0],
      ["0s", 0],
      ["5s", 5_000],
      ["100ms", 100],
      ["1h30m", 5_400_000],
      ["1h15m30.918s", 4_530_918],
      ["-1.5s", -1_500],
      ["+5m", 300_000],
      [".5s", 500],
      ["5.s", 5_000],
      ["1.0s", 1_000],
      ["10ns", 0.00001],
      ["11us", 0.011],
      ["12µs", 0.012],
      ["12μs", 0.012],
      ["1.2345ms", 1.2345],
      ["3000h", 10_800_000_000],
      ["39h9m14.425s", 140_954_425],
      ["9007199254.740993s", Number("9007199254740.993")],
      ["9223372036854775807ns", Number("9223372036854.775807")],
      ["-9223372036854775808ns", Number("-9223372036854.775808")],
      ["0.3333333333333333333h", 1_200_000],
    ];
    for (const [text, ms] of cases) assert.equal(parseGoDuration(text) + 0, ms, text);
  });

  it("refuses the rest in Go's words", () => {
    const cases: [string, string][] = [
      ["", 'time: invalid duration ""'],
      ["x", 'time: invalid duration "x"'],
      [".", 'time: invalid duration "."'],
      ["-", 'time: invalid duration "-"'],
      ["-.s", 'time: invalid duration "-.s"'],
      ["5", 'time: missing unit in duration "5"'],
      ["-5", 'time: missing unit in duration "-5"'],
      ["1h5", 'time: missing unit in duration "1h5"'],
      ["5y", 'time: unknown unit "y" in duration "5y"'],
      ["1 h", 'time: unknown unit " h" in duration "1 h"'],
      ["1toString", 'time: unknown unit "toString" in duration "1toString"'],
      ["3000000h", 'time: invalid duration "3000000h"'],
      ["9223372036854775808ns", 'time: invalid duration "9223372036854775808ns"'],
      ["-9223372036854775809ns", 'time: invalid duration "-9223372036854775809ns"'],
    ];
    for (const [text, message] of cases) assert.throws(() => parseGoDuration(text), { message }, text);
  });
});

describe("formatGoDuration", () => {
  it("writes what Go writes", () => {
    const cases: [number, string][] = [
      [0, "0s"],
      [0.000001, "1ns"],
      [0.0011, "1.1µs"],
      [2.156073, "2.156073ms"],
      [2, "2ms"],
      [900, "900ms"],
      [1_000, "1s"],
      [3_300, "3.3s"],
      [60_000, "1m0s"],
      [300_001, "5m0.001s"],
      [3_600_000, "1h0m0s"],
      [18_367_001, "5h6m7.001s"],
      [-1_500, "-1.5s"],
    ];
    for (const [ms, text] of cases) assert.equal(formatGoDuration(ms), text);
  });

  it("is read back as the same", () => {
    for (const ms of [0, 1, 99.5, 5_400_000, 123_456_789.123456, -42.000001]) {
      assert.equal(parseGoDuration(formatGoDuration(ms)) + 0, ms);
    }
  });
});

describe("nanosToMs", () => {
  it("keeps whole milliseconds exact", () => {
    assert.equal(nanosToMs(9_223_372_036_854_000_000n), 9_223_372_036_854);
    assert.equal(nanosToMs(600_000_000_000n), 600_000);
    assert.equal(nanosToMs(-1n), -0.000001);
  });
});
