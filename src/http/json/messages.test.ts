import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  create,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import type { MessageTable } from "../../codec/message-table.ts";
import {
  LeaseTimeToLiveResponseSchema,
  MemberListResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
  TxnRequestSchema,
  TxnResponseSchema,
  WatchRequestSchema,
  WatchResponseSchema,
} from "../../gen/etcdserverpb/rpc_pb.ts";
import * as tables from "../../gen/tables/etcdserverpb/rpc.ts";
import { Prng } from "../../lib/prng.ts";
import { parseMessage } from "./parse-message.ts";
import { ValueSplitter } from "./value-splitter.ts";
import { writeMessage } from "./write-message.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const tableOf = (desc: DescMessage): MessageTable =>
  (tables as unknown as Record<string, MessageTable>)[`${desc.name}Schema`]!;
const written = (desc: DescMessage, parts: Uint8Array[]): string =>
  [...writeMessage(tableOf(desc), parts)].join("");

/** A value of each message that has something in all kinds of fields. */
const answers: readonly (readonly [DescMessage, JsonValue])[] = [
  [RangeResponseSchema, {}],
  [
    RangeResponseSchema,
    {
      header: { cluster_id: "18446744073709551615", member_id: "1", revision: "9223372036854775807" },
      kvs: [
        { key: "AA==", create_revision: "1", mod_revision: "4503599627370496", version: "128", lease: "-1" },
        { key: "YQ==", value: "Yg==" },
        {},
      ],
      more: true,
      count: "3",
    },
  ],
  [LeaseTimeToLiveResponseSchema, { ID: "7", TTL: "-1", keys: ["YQ==", ""] }],
  [
    MemberListResponseSchema,
    { members: [{ ID: "1", name: 'a"\n\u0001é\u{1f600}', peerURLs: ["x", ""], isLearner: true }] },
  ],
  [
    TxnResponseSchema,
    {
      succeeded: true,
      responses: [
        { response_put: {} },
        { response_range: { kvs: [{ key: "YQ==" }] } },
        { response_txn: { responses: [{ response_delete_range: { deleted: "2", prev_kvs: [{}] } }] } },
      ],
    },
  ],
  [
    WatchResponseSchema,
    { watch_id: "-1", canceled: true, events: [{ type: "DELETE", kv: { key: "YQ==" } }, { prev_kv: {} }] },
  ],
];

describe("messages as JSON", () => {
  it("are written as protobuf's own library writes them, however the bytes are cut", () => {
    const seed = 20_261_121;
    const prng = new Prng(seed);
    for (const [desc, json] of answers) {
      const bytes = toBinary(desc, fromJson(desc, json));
      const expected = JSON.stringify(toJson(desc, fromBinary(desc, bytes), { useProtoFieldName: true }));
      assert.equal(written(desc, [bytes]), expected);
      for (let round = 0; round < 20; round++) {
        const cuts = Array.from({ length: 4 }, () => prng.below(bytes.length + 1)).sort((a, b) => a - b);
        const parts = [0, ...cuts].map((start, i) => bytes.subarray(start, cuts[i]));
        assert.equal(written(desc, parts), expected, `seed ${seed}`);
      }
    }
  });

  it("are written in pieces", () => {
    const kvs = Array.from({ length: 5_000 }, (_, i) => ({
      key: encode(`key ${i}`),
      value: encode("value"),
    }));
    const bytes = toBinary(RangeResponseSchema, create(RangeResponseSchema, { kvs }));
    const pieces = [...writeMessage(tables.RangeResponseSchema, [bytes])];
    assert.ok(pieces.length > 5);
    assert.equal(JSON.parse(pieces.join("")).kvs.length, 5_000);
  });

  it("are read as protobuf's own library reads them", () => {
    const requests: readonly (readonly [DescMessage, JsonValue])[] = [
      [
        RangeRequestSchema,
        { key: "YQ==", rangeEnd: "Yg", limit: "100", sort_order: "DESCEND", sortTarget: 3 },
      ],
      [RangeRequestSchema, { key: "-_8=", revision: -5, serializable: true, keys_only: false, limit: null }],
      [RangeRequestSchema, { key: "+/8", what: { is: ["this", { x: '"}' }, -1.5e3, null] } }],
      [
        TxnRequestSchema,
        {
          compare: [{ key: "YQ==", target: "VERSION", result: "NOT_EQUAL", version: 0 }],
          success: [{ request_put: { key: "YQ==", value: "", lease: "9007199254740993" } }],
          failure: [{ requestTxn: { success: [{ requestRange: {} }] } }],
        },
      ],
      [WatchRequestSchema, { create_request: { filters: ["NODELETE", 0, "NOSUCH"], fragment: true } }],
    ];
    for (const [desc, json] of requests) {
      const mine = fromBinary(desc, parseMessage(tableOf(desc), encode(JSON.stringify(json))));
      assert.deepEqual(mine, fromJson(desc, json, { ignoreUnknownFields: true }));
    }
  });

  it("may not be too deep to read", () => {
    const deep = `${'{"success":[{"request_txn":'.repeat(50_000)}{}${"}]}".repeat(50_000)}`;
    const splitter = new ValueSplitter(1e9);
    assert.throws(() => [...splitter.push(encode(deep))], /exceeded max depth/);
  });
});

describe("values of a body", () => {
  const values = [
    '{"a":[1,{"b":"}\\"]\\u00e9"}]}',
    "[]",
    '"x"',
    "-12.5e+3",
    "true",
    "null",
    "0",
    '{"é":"😀"}',
  ];

  it("are found however the body is cut", () => {
    const seed = 7;
    const prng = new Prng(seed);
    const body = encode(` ${values.join(" \n")}`);
    for (let round = 0; round < 200; round++) {
      const splitter = new ValueSplitter(1_000);
      const found: string[] = [];
      for (let at = 0; at < body.length; ) {
        const end = at + 1 + prng.below(9);
        for (const value of splitter.push(body.slice(at, end))) found.push(new TextDecoder().decode(value));
        at = end;
      }
      const last = splitter.end();
      if (last) found.push(new TextDecoder().decode(last));
      assert.deepEqual(found, values, `seed ${seed}`);
    }
  });

  it("are JSON exactly when JSON.parse says so", () => {
    const seed = 11;
    const prng = new Prng(seed);
    const alphabet = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "a",
      "\\",
      "n",
      "u0041",
      "0",
      "1",
      "-",
      ".",
      "e",
      " ",
      "true",
      "null",
    ];
    for (let round = 0; round < 30_000; round++) {
      const text = Array.from(
        { length: 1 + prng.below(8) },
        () => alphabet[prng.below(alphabet.length)],
      ).join("");
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      let found: Uint8Array[] | undefined;
      try {
        const splitter = new ValueSplitter(1_000);
        found = [...splitter.push(encode(text))];
        const last = splitter.end();
        if (last) found.push(last);
      } catch {
        found = undefined;
      }
      if (isJson) assert.equal(found?.length, 1, `${text} (seed ${seed})`);
      else for (const value of found ?? []) JSON.parse(new TextDecoder().decode(value));
    }
  });

  it("have a limit", () => {
    const splitter = new ValueSplitter(10);
    assert.throws(() => [...splitter.push(encode('"0123456789'))], /larger than 10 bytes/);
  });
});
