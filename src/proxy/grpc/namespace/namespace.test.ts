import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { rangeRequest as rangeMessage } from "../../../client/messages/kv.ts";
import { decode, encode } from "../../../client/wire/codec.ts";
import { Namespace } from "./namespace.ts";
import { rangeRequest } from "./shapes.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const text = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString("latin1");

describe("a namespace", () => {
  it("puts its prefix before keys, and ends where it ends", () => {
    // key, end and what they become
    const cases: [prefix: string, key: string, end: string, key: string, end: string][] = [
      ["pfx/", "a", "", "pfx/a", ""],
      ["pfx/", "abc", "def", "pfx/abc", "pfx/def"],
      ["pfx/", "abc", "\0", "pfx/abc", "pfx0"],
      ["\x7f", "abc", "\0", "\x7fabc", "\x80"],
    ];
    for (const [prefix, key, end, wantedKey, wantedEnd] of cases) {
      const message = encode(rangeMessage, { key: bytes(key), range_end: bytes(end), limit: 7n });
      const edited = decode(rangeMessage, new Namespace(prefix).edit(message, rangeRequest));
      assert.deepEqual([text(edited.key), text(edited.range_end), edited.limit], [wantedKey, wantedEnd, 7n]);
    }
  });

  it("keeps fields that it does not know", () => {
    // Field 100, a varint, before and after the key.
    const unknown = Uint8Array.of(0xa0, 0x06, 0x05);
    const message = Buffer.concat([unknown, encode(rangeMessage, { key: bytes("k") }), unknown]);
    const edited = new Namespace("p").edit(message, rangeRequest);
    assert.equal(text(edited), text(Buffer.concat([unknown, bytes("\x0a\x02pk"), unknown])));
  });
});
