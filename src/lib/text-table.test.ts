import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { textTable } from "./text-table.ts";

describe("a table of text", () => {
  it("is as wide as its longest cells, with heads in the middle", () => {
    const rows = [["b51e1c1d", "8", "57 kB"]];
    assert.equal(
      textTable(["hash", "revision", "total size"], rows, { align: "right" }),
      [
        "┌──────────┬──────────┬────────────┐",
        "│   HASH   │ REVISION │ TOTAL SIZE │",
        "├──────────┼──────────┼────────────┤",
        "│ b51e1c1d │        8 │      57 kB │",
        "└──────────┴──────────┴────────────┘",
        "",
      ].join("\n"),
    );
  });

  it("puts rows to the left unless told otherwise", () => {
    assert.match(textTable(["name"], [["a"], ["bcdef"]]), /│ a {5}│\n│ bcdef │/);
  });
});
