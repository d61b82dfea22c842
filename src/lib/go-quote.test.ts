import assert from "node:assert/strict";
import { it } from "node:test";
import { goQuote, goQuoteList } from "./go-quote.ts";

it("quotes as Go's %q does", () => {
  const cases: [string, string][] = [
    ["", '""'],
    ['say "hi"\\', '"say \\"hi\\"\\\\"'],
    ["a\tb\nc\x07\x00\x7f", '"a\\tb\\nc\\a\\x00\\x7f"'],
    ["é漢🙂", '"é漢🙂"'],
    ["\u00a0\u200b\u{e0001}", '"\\u00a0\\u200b\\U000e0001"'],
  ];
  for (const [text, quoted] of cases) assert.equal(goQuote(text), quoted);
  assert.equal(goQuoteList(["stderr", "systemd/journal"]), '["stderr" "systemd/journal"]');
});
