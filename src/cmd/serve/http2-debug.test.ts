import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { http2Debug } from "./http2-debug.ts";

describe("GODEBUG=http2debug=2", () => {
  const linesOf = (godebug: string | undefined, fields: readonly string[]) => {
    const lines: string[] = [];
    http2Debug({ GODEBUG: godebug }, (line) => lines.push(line)).onFields?.(fields);
    return lines;
  };

  it("prints the fields as Go does", () => {
    const lines = linesOf("gctrace=0,http2debug=2", [":authority", "localhost:2379", "a", 'say "x"']);
    assert.equal(lines.length, 2);
    assert.match(
      lines[0]!,
      /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d http2: decoded hpack field header field ":authority" = "localhost:2379"\n$/,
    );
    assert.match(lines[1]!, / = "say \\"x\\""\n$/);
  });

  it("keeps tokens to itself", () => {
    const lines = linesOf("http2debug=2", ["token", "simple.1", "authorization", "Bearer y"]);
    assert.equal(lines.length, 2);
    for (const line of lines) assert.match(line, / = "" \(sensitive\)\n$/);
  });

  it("is off otherwise", () => {
    for (const value of [undefined, "", "http2debug=1", "xhttp2debug=2"]) {
      assert.equal(http2Debug({ GODEBUG: value }).onFields, undefined);
    }
  });
});
