import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseGrpcTimeout } from "./timeout.ts";

describe("parseGrpcTimeout", () => {
  it("knows all units", () => {
    assert.equal(parseGrpcTimeout("2H"), 7_200_000);
    assert.equal(parseGrpcTimeout("2M"), 120_000);
    assert.equal(parseGrpcTimeout("2S"), 2_000);
    assert.equal(parseGrpcTimeout("2m"), 2);
    assert.equal(parseGrpcTimeout("2u"), 0.002);
    assert.equal(parseGrpcTimeout("2000000n"), 2);
    assert.equal(parseGrpcTimeout("0S"), 0);
    assert.equal(parseGrpcTimeout("99999999S"), 99_999_999_000);
  });

  for (const [value, problem] of [
    ["S", 'transport: timeout string is too short: "S"'],
    ["123456789S", 'transport: timeout string is too long: "123456789S"'],
    ["12x", 'transport: timeout unit is not recognized: "12x"'],
    ["-1S", 'strconv.ParseUint: parsing "-1": invalid syntax'],
  ] as const) {
    it(`refuses ${value} in grpc-go's words`, () => {
      assert.deepEqual(parseGrpcTimeout(value), { problem });
    });
  }
});
