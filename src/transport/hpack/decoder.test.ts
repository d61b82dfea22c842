import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HpackDecoder } from "./decoder.ts";
import { encodeFields } from "./encoder.ts";
import { HpackError } from "./hpack-error.ts";

function decoderOf(tableBytes = 4096, maxListBytes = 65_536): HpackDecoder {
  return new HpackDecoder({ tableBytes, maxListBytes });
}

function decode(decoder: HpackDecoder, hex: string): string[] {
  const block = Buffer.from(hex.replace(/\s/g, ""), "hex");
  return decoder.decode(block, 0, block.length).fields;
}

/** The newest first: "name: value". */
function tableOf(decoder: HpackDecoder): string[] {
  const { table } = decoder;
  return Array.from({ length: table.count }, (_, age) => {
    const slot = table.slot(age);
    return `${table.nameAt(slot)}: ${table.valueAt(slot)}`;
  });
}

describe("HPACK decoder", () => {
  describe("RFC 7541, appendix C.2", () => {
    it("C.2.1 literal with indexing", () => {
      const decoder = decoderOf();
      const fields = decode(decoder, "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572");
      assert.deepEqual(fields, ["custom-key", "custom-header"]);
      assert.deepEqual(tableOf(decoder), ["custom-key: custom-header"]);
      assert.equal(decoder.table.sizeBytes, 55);
    });

    it("C.2.2 literal without indexing", () => {
      const decoder = decoderOf();
      assert.deepEqual(decode(decoder, "040c 2f73 616d 706c 652f 7061 7468"), [":path", "/sample/path"]);
      assert.equal(decoder.table.count, 0);
    });

    it("C.2.3 literal never indexed", () => {
      const decoder = decoderOf();
      assert.deepEqual(decode(decoder, "1008 7061 7373 776f 7264 0673 6563 7265 74"), ["password", "secret"]);
      assert.equal(decoder.table.count, 0);
    });

    it("C.2.4 indexed field", () => {
      assert.deepEqual(decode(decoderOf(), "82"), [":method", "GET"]);
    });
  });

  const requests = [
    [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"],
    [
      ...[":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"],
      ...["cache-control", "no-cache"],
    ],
    [
      ...[":method", "GET", ":scheme", "https", ":path", "/index.html", ":authority", "www.example.com"],
      ...["custom-key", "custom-value"],
    ],
  ];
  const requestTable = ["custom-key: custom-value", "cache-control: no-cache", ":authority: www.example.com"];

  it("C.3 requests without Huffman", () => {
    const decoder = decoderOf();
    assert.deepEqual(decode(decoder, "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d"), requests[0]);
    assert.deepEqual(decode(decoder, "8286 84be 5808 6e6f 2d63 6163 6865"), requests[1]);
    const third = "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65";
    assert.deepEqual(decode(decoder, third), requests[2]);
    assert.deepEqual(tableOf(decoder), requestTable);
    assert.equal(decoder.table.sizeBytes, 164);
  });

  it("C.4 requests with Huffman", () => {
    const decoder = decoderOf();
    assert.deepEqual(decode(decoder, "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"), requests[0]);
    assert.deepEqual(decode(decoder, "8286 84be 5886 a8eb 1064 9cbf"), requests[1]);
    assert.deepEqual(
      decode(decoder, "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"),
      requests[2],
    );
    assert.deepEqual(tableOf(decoder), requestTable);
    assert.equal(decoder.table.sizeBytes, 164);
  });

  const date1 = "Mon, 21 Oct 2013 20:13:21 GMT";
  const date2 = "Mon, 21 Oct 2013 20:13:22 GMT";
  const cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
  const location = "https://www.example.com";
  const responses = [
    [":status", "302", "cache-control", "private", "date", date1, "location", location],
    [":status", "307", "cache-control", "private", "date", date1, "location", location],
    [
      ...[":status", "200", "cache-control", "private", "date", date2, "location", location],
      ...["content-encoding", "gzip", "set-cookie", cookie],
    ],
  ];
  const responseTable = [`set-cookie: ${cookie}`, "content-encoding: gzip", `date: ${date2}`];

  it("C.5 responses without Huffman, with evictions", () => {
    const decoder = decoderOf(256);
    const first = `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032
      303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`;
    assert.deepEqual(decode(decoder, first), responses[0]);
    assert.equal(decoder.table.sizeBytes, 222);
    assert.deepEqual(decode(decoder, "4803 3330 37c1 c0bf"), responses[1]);
    assert.equal(decoder.table.sizeBytes, 222);
    const third = `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0
      5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745
      4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`;
    assert.deepEqual(decode(decoder, third), responses[2]);
    assert.deepEqual(tableOf(decoder), responseTable);
    assert.equal(decoder.table.sizeBytes, 215);
  });

  it("C.6 responses with Huffman, with evictions", () => {
    const decoder = decoderOf(256);
    const first = `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b
      ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`;
    assert.deepEqual(decode(decoder, first), responses[0]);
    assert.deepEqual(decode(decoder, "4883 640e ffc1 c0bf"), responses[1]);
    const third = `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad
      94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0
      03ed 4ee5 b106 3d50 07`;
    assert.deepEqual(decode(decoder, third), responses[2]);
    assert.deepEqual(tableOf(decoder), responseTable);
    assert.equal(decoder.table.sizeBytes, 215);
  });

  it("follows size updates, two at most and only at the start", () => {
    const decoder = decoderOf();
    decode(decoder, "4001 6101 62");
    assert.equal(decoder.table.count, 1);
    decode(decoder, "20 3fe1 1f 82");
    assert.equal(decoder.table.count, 0);
    assert.throws(() => decode(decoderOf(), "20 20 20 82"), HpackError);
    assert.throws(() => decode(decoderOf(), "82 20"), HpackError);
    assert.throws(() => decode(decoderOf(256), "3fe2 01"), HpackError, "above the limit");
  });

  it("drops an entry larger than the table, and all others with it", () => {
    const decoder = decoderOf(64);
    decode(decoder, "4001 6101 62");
    assert.equal(decoder.table.count, 1);
    const block = Buffer.concat([Buffer.from("400141", "hex"), Buffer.of(40), Buffer.alloc(40, 0x78)]);
    assert.deepEqual(decoder.decode(block, 0, block.length).fields, ["A", "x".repeat(40)]);
    assert.equal(decoder.table.count, 0);
    assert.equal(decoder.table.sizeBytes, 0);
  });

  it("says that a list is too large, and keeps its table right", () => {
    const decoder = decoderOf(4096, 100);
    const block = Buffer.from(encodeFields([["a", "x".repeat(80)]]));
    block[0] = 0x40;
    const list = decoder.decode(block, 0, block.length);
    assert.equal(list.truncated, true);
    assert.deepEqual(list.fields, []);
    assert.equal(decoder.table.count, 1);
    assert.equal(decode(decoder, "82").length, 2);
  });

  for (const [what, hex] of [
    ["index 0", "80"],
    ["an index beyond the static table and an empty dynamic one", "be"],
    ["an index beyond the table, named", "7f00 01 61"],
    ["an integer that does not end", "ffffffff"],
    ["an integer too long", "ff8080808080808001"],
    ["an integer too large", "ffffffffff0f"],
    ["a string longer than the block", "400a 6162"],
    ["a literal without a value", "4001 61"],
    ["a literal without a name", "40"],
    ["Huffman padding longer than 7 bits", "4001 6182 ffff"],
    ["Huffman padding with a zero", "4001 6181 1e"],
    ["the Huffman end-of-string symbol", "4001 6184 ffff fffc"],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => decode(decoderOf(), hex), HpackError);
    });
  }

  it("changes its generation exactly when the table changes", () => {
    const decoder = decoderOf();
    decode(decoder, "82");
    decode(decoder, "040c 2f73 616d 706c 652f 7061 7468");
    assert.equal(decoder.table.generation, 0);
    decode(decoder, "4001 6101 62");
    assert.equal(decoder.table.generation, 1);
    decode(decoder, "20");
    assert.equal(decoder.table.generation, 2);
  });
});

describe("HPACK encoder", () => {
  it("writes what the decoder reads", () => {
    const fields: [string, string][] = [
      [":status", "200"],
      [":status", "418"],
      ["content-type", "text/plain"],
      ["x-long", "v".repeat(1000)],
      ["x-octets", "\u00ff\u0080"],
      ["x-empty", ""],
      ["grpc-status", "0"],
    ];
    const block = Buffer.from(encodeFields(fields));
    const decoder = decoderOf();
    assert.deepEqual(decoder.decode(block, 0, block.length).fields, fields.flat());
    assert.equal(decoder.table.count, 0, "nothing to remember");
  });

  it("indexes what the static table has", () => {
    assert.deepEqual([...encodeFields([[":status", "200"]])], [0x88]);
    assert.deepEqual([...encodeFields([[":method", "POST"]])], [0x83]);
    assert.deepEqual([...encodeFields([["content-type", "a"]])], [0x0f, 0x10, 0x01, 0x61]);
  });
});
