import assert from "node:assert/strict";
import { it } from "node:test";
import { humanBytes } from "./human-bytes.ts";

it("writes sizes as etcd's log does", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [9, "9 B"],
    [82, "82 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [10_485_760, "10 MB"],
    [11_500_000, "12 MB"],
    [20_971_520, "21 MB"],
    [1_572_864, "1.6 MB"],
    [2_147_483_648, "2.1 GB"],
    [8_589_934_592, "8.6 GB"],
    [1e15, "1.0 PB"],
  ];
  for (const [bytes, text] of cases) assert.equal(humanBytes(bytes), text);
});
