/** What the server answers: the same bytes as the generated code makes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import * as pb from "../gen/etcdserverpb/rpc_pb.ts";
import { type Event, EventSchema, KeyValueSchema } from "../gen/mvccpb/kv_pb.ts";
import type { LeaseId } from "../lib/ids.ts";
import type { Prng } from "../lib/prng.ts";
import { encodeDeleteRangeResponse, encodeDeleteRangeResponseParts } from "./delete-range.ts";
import { encodeHeader, type HeaderFields, headerPrefix } from "./header.ts";
import { decodeKeyValue, encodeKeyValue } from "./key-value.ts";
import type { KeyValue } from "./kv.ts";
import { encodeLeaseGrantResponse, encodeLeaseKeepAliveResponse } from "./lease.ts";
import { encodePutResponse } from "./put.ts";
import {
  encodeRangeEnd,
  encodeRangeResponse,
  encodeRangeRows,
  encodeRangeStreamEnd,
  encodeRangeStreamRows,
} from "./range.ts";
import {
  plainDeleteRangeResponse,
  plainKeyValue,
  plainPutResponse,
  plainRangeResponse,
  plainTxnResponse,
} from "./testing/plain.ts";
import { forSeeds, randomBytes, randomMessage } from "./testing/random-message.ts";
import { encodeTxnResponse, encodeTxnResponseParts } from "./txn-response.ts";
import { encodeWatchEvent, encodeWatchResponse, watchResponseSize } from "./watch.ts";

const rounds = 300;
const options = { wide: false, depth: 6 };

/** A random header in both forms. It is never absent. */
function randomHeader(random: Prng): { header: pb.ResponseHeader; fields: HeaderFields } {
  const header = randomMessage(random, pb.ResponseHeaderSchema, options);
  if (random.chance(0.5)) header.memberId = 0xfedc_ba98_7654_3210n;
  return { header, fields: headerFields(header) };
}

function headerFields(header: pb.ResponseHeader): HeaderFields {
  return {
    prefix: headerPrefix(header),
    revision: Number(header.revision),
    raftTerm: Number(header.raftTerm),
  };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe("answers", () => {
  it("encodes a header alone", () =>
    forSeeds(rounds, (random) => {
      const { header, fields } = randomHeader(random);
      const message = create(pb.CompactionResponseSchema, { header });
      assert.deepEqual(encodeHeader(fields), toBinary(pb.CompactionResponseSchema, message));
    }));

  it("encodes and decodes KeyValue", () =>
    forSeeds(rounds, (random) => {
      const message = randomMessage(random, KeyValueSchema, options);
      if (random.chance(0.5)) message.lease = random.pick([-1n, -(1n << 63n), (1n << 63n) - 1n]);
      const bytes = toBinary(KeyValueSchema, message);
      assert.deepEqual(encodeKeyValue(plainKeyValue(message)), bytes);
      assert.deepEqual(decodeKeyValue(bytes), plainKeyValue(message));
    }));

  it("encodes PutResponse", () =>
    forSeeds(rounds, (random) => {
      const message = randomMessage(random, pb.PutResponseSchema, options);
      const { header, fields } = randomHeader(random);
      message.header = header;
      const bytes = toBinary(pb.PutResponseSchema, message);
      assert.deepEqual(encodePutResponse(fields, plainPutResponse(message)), bytes);
    }));

  it("encodes RangeResponse, whole and in parts", () =>
    forSeeds(rounds, (random) => {
      const message = randomMessage(random, pb.RangeResponseSchema, options);
      const { header, fields } = randomHeader(random);
      message.header = header;
      const bytes = toBinary(pb.RangeResponseSchema, message);
      const plain = plainRangeResponse(message);
      assert.deepEqual(encodeRangeResponse(fields, plain), bytes);
      const cut = random.below(plain.kvs.length + 1);
      const rows = [plain.kvs.slice(0, cut), plain.kvs.slice(cut)].map(encodeRangeRows);
      assert.deepEqual(join([encodeHeader(fields), ...rows, encodeRangeEnd(plain)]), bytes);
    }));

  it("encodes the messages of a RangeStream", () =>
    forSeeds(rounds, (random) => {
      const message = randomMessage(random, pb.RangeResponseSchema, options);
      const { header, fields } = randomHeader(random);
      message.header = header;
      const plain = plainRangeResponse(message);
      const wrap = (rangeResponse: pb.RangeResponse) =>
        toBinary(pb.RangeStreamResponseSchema, create(pb.RangeStreamResponseSchema, { rangeResponse }));
      const rowsOnly = create(pb.RangeResponseSchema, { kvs: message.kvs });
      assert.deepEqual(encodeRangeStreamRows(plain.kvs), wrap(rowsOnly));
      assert.deepEqual(encodeRangeStreamEnd(fields, plain), wrap(message));
    }));

  it("encodes DeleteRangeResponse", () =>
    forSeeds(rounds, (random) => {
      const message = randomMessage(random, pb.DeleteRangeResponseSchema, options);
      const { header, fields } = randomHeader(random);
      message.header = header;
      const bytes = toBinary(pb.DeleteRangeResponseSchema, message);
      assert.deepEqual(encodeDeleteRangeResponse(fields, plainDeleteRangeResponse(message)), bytes);
    }));

  it("encodes LeaseGrantResponse and LeaseKeepAliveResponse", () =>
    forSeeds(rounds, (random) => {
      const message = randomMessage(random, pb.LeaseKeepAliveResponseSchema, options);
      const { header, fields } = randomHeader(random);
      message.header = header;
      const bytes = toBinary(pb.LeaseKeepAliveResponseSchema, message);
      const plain = { id: message.ID as LeaseId, ttlSeconds: Number(message.TTL) };
      assert.deepEqual(encodeLeaseKeepAliveResponse(fields, plain), bytes);
      assert.deepEqual(encodeLeaseGrantResponse(fields, plain), bytes);
    }));

  it("encodes TxnResponse with the headers inside that etcd gives", () =>
    forSeeds(rounds, (random) => {
      const message = randomMessage(random, pb.TxnResponseSchema, options);
      const { header, fields } = randomHeader(random);
      message.header = header;
      asEtcdAnswers(message);
      const bytes = toBinary(pb.TxnResponseSchema, message);
      const plain = plainTxnResponse(message);
      assert.deepEqual(encodeTxnResponse(fields, plain), bytes);
    }));
});

/** Makes of a random answer one that etcd could give: only revisions in inner headers, none in nested ones. */
function asEtcdAnswers(txn: pb.TxnResponse): void {
  txn.responses = txn.responses.filter((op) => op.response.case !== undefined);
  for (const { response } of txn.responses) {
    if (response.case === "responseTxn") {
      response.value.header = create(pb.ResponseHeaderSchema);
      asEtcdAnswers(response.value);
    } else if (response.value !== undefined) {
      const revision = response.value.header?.revision ?? 3n;
      response.value.header = create(pb.ResponseHeaderSchema, { revision });
    }
  }
}

describe("large answers", () => {
  const fields = headerFields(create(pb.ResponseHeaderSchema, { clusterId: 1n, memberId: 2n, revision: 3n }));

  function manyRows(count: number, valueBytes: number): KeyValue[] {
    return Array.from({ length: count }, (_, i) => ({
      key: Uint8Array.of(i >> 8, i & 0xff),
      createRevision: i,
      modRevision: i + 1,
      version: 1,
      value: new Uint8Array(valueBytes).fill(i),
      lease: 0n as LeaseId,
    }));
  }

  /** Runs to the end; no step may make more than one part beside the small ones at the borders. */
  function partsOf(steps: Generator<undefined, Uint8Array[], undefined>): {
    parts: Uint8Array[];
    steps: number;
  } {
    for (let count = 0; ; count++) {
      const next = steps.next();
      if (next.done) return { parts: next.value, steps: count };
    }
  }

  it("are made in parts of bounded size, and are the same bytes", () => {
    for (const kvs of [manyRows(5000, 100), manyRows(300, 10_000), manyRows(2000, 0)]) {
      const range = { kvs, more: true, count: 1e6 };
      const deleted = { deleted: kvs.length, prevKvs: kvs };
      const deletion = partsOf(encodeDeleteRangeResponseParts(fields, deleted));
      assert.ok(deletion.steps >= 1 && deletion.parts.every((part) => part.length < 64 * 1024 + 10_100));
      assert.deepEqual(join(deletion.parts), encodeDeleteRangeResponse(fields, deleted));

      const inner = {
        kind: "txn",
        txn: {
          succeeded: true,
          revision: 0,
          responses: [{ kind: "deleteRange", deleteRange: deleted, revision: 6 }],
        },
      } as const;
      const put = { kind: "put", put: { prevKv: kvs[0] }, revision: 7 } as const;
      const txn = {
        succeeded: true,
        revision: 7,
        responses: [{ kind: "range", range, revision: 6 }, put, inner],
      } as const;
      const whole = partsOf(encodeTxnResponseParts(fields, txn));
      assert.ok(whole.steps >= 2);
      assert.deepEqual(join(whole.parts), encodeTxnResponse(fields, txn));
    }
  });

  it("are one part without a step when they are small", () => {
    const kvs = manyRows(3, 10);
    const range = { kvs, more: false, count: 3 };
    const txn = {
      succeeded: false,
      revision: 7,
      responses: [{ kind: "range", range, revision: 7 }],
    } as const;
    assert.deepEqual(partsOf(encodeTxnResponseParts(fields, txn)), {
      parts: [encodeTxnResponse(fields, txn)],
      steps: 0,
    });
  });
});

describe("watch answers", () => {
  it("encodes WatchResponse from events that were encoded before", () =>
    forSeeds(rounds, (random) => {
      const message = randomMessage(random, pb.WatchResponseSchema, { ...options, wide: true });
      message.compactRevision = BigInt(random.below(1e9));
      const { header, fields } = randomHeader(random);
      message.header = header;
      message.events = Array.from({ length: random.below(5) }, () => randomEvent(random));
      const response = {
        watchId: message.watchId,
        created: message.created,
        canceled: message.canceled,
        compactRevision: Number(message.compactRevision),
        cancelReason: message.cancelReason,
        fragment: message.fragment,
        events: message.events.map(encodeEvent),
      };
      const bytes = encodeWatchResponse(fields, response);
      assert.deepEqual(bytes, toBinary(pb.WatchResponseSchema, message));
      assert.equal(watchResponseSize(fields, response), bytes.length);
    }));

  function randomEvent(random: Prng): Event {
    const event = randomMessage(random, EventSchema, options);
    event.kv ??= create(KeyValueSchema, { key: randomBytes(random, 3) });
    return event;
  }

  function encodeEvent(event: Event): Uint8Array {
    return encodeWatchEvent({
      kind: event.type === 1 ? "delete" : "put",
      kv: plainKeyValue(event.kv!),
      prevKv: event.prevKv && plainKeyValue(event.prevKv),
    });
  }
});
