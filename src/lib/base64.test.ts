import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64 } from "./base64.ts";

describe("base64", () => {
  it("reads what Node writes, of every length", () => {
    for (let length = 0; length < 80; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
      const text = Buffer.from(bytes).toString("base64");
      assert.deepEqual(decodeBase64(text), bytes);
    }
  });

  it("skips line ends and reads nothing else that Go does not", () => {
    assert.deepEqual(decodeBase64("YW\r\nJj"), new TextEncoder().encode("abc"));
    for (const bad of ["YWI", "YQ=", "YQ", "YW-_", "Y W==", "====", "YQ==YQ=="]) {
      assert.equal(decodeBase64(bad), undefined, bad);
    }
  });
});
