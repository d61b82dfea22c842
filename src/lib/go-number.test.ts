import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { goInt64, goUint32, goUint64, parseGoBool, parseGoInteger } from "./go-number.ts";

describe("parseGoInteger", () => {
  it("reads every base that Go reads", () => {
    for (const text of ["31", "0x1f", "0X1F", "0o37", "037", "0b11111", "3_1", "0x_1f", "0_37"]) {
      assert.equal(parseGoInteger(text, goUint64), 31n, text);
    }
    assert.equal(parseGoInteger("0", goUint64), 0n);
    assert.equal(parseGoInteger("-0x10", goInt64), -16n);
    assert.equal(parseGoInteger("+7", goInt64), 7n);
  });

  it("refuses what Go refuses", () => {
    const bad = ["", " 1", "1 ", "1e9", "1.0", "abc", "_1", "1_", "1__0", "08", "0x", "0b2", "--1", "+", "-"];
    for (const text of bad) assert.equal(parseGoInteger(text, goInt64), "syntax", text);
    // An unsigned number has no sign, not even a plus.
    for (const text of ["-1", "+1"]) assert.equal(parseGoInteger(text, goUint64), "syntax", text);
  });

  it("knows the limits", () => {
    assert.equal(parseGoInteger("9223372036854775807", goInt64), 2n ** 63n - 1n);
    assert.equal(parseGoInteger("9223372036854775808", goInt64), "range");
    assert.equal(parseGoInteger("-9223372036854775808", goInt64), -(2n ** 63n));
    assert.equal(parseGoInteger("-9223372036854775809", goInt64), "range");
    assert.equal(parseGoInteger("18446744073709551615", goUint64), 2n ** 64n - 1n);
    assert.equal(parseGoInteger("18446744073709551616", goUint64), "range");
    assert.equal(parseGoInteger("4294967296", goUint32), "range");
  });
});

describe("parseGoBool", () => {
  it("knows Go's twelve words", () => {
    for (const text of ["1", "t", "T", "true", "TRUE", "True"]) assert.equal(parseGoBool(text), true);
    for (const text of ["0", "f", "F", "false", "FALSE", "False"]) assert.equal(parseGoBool(text), false);
    for (const text of ["", "yes", "tRUE", "2", " true"]) assert.equal(parseGoBool(text), undefined);
  });
});
