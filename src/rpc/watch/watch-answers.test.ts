import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { headerPrefix } from "../../codec/header.ts";
import { type WatchResponse, WatchResponseSchema } from "../../gen/etcdserverpb/rpc_pb.ts";
import type { Revision } from "../../lib/ids.ts";
import type { StoreEvent } from "../../mvcc/types.ts";
import type { WatcherInfo } from "../../mvcc/watch/types.ts";
import type { GrpcCall } from "../../transport/grpc.ts";
import type { WatchService } from "../rpc-server.ts";
import { WatchAnswers } from "./watch-answers.ts";

const maxRequestBytes = 1000;
/** etcd's: the largest request, and 512 KiB. */
const limit = maxRequestBytes + 524_288;

/** What a watch is told of events with values of so many bytes. */
function toldOf(
  valueBytes: readonly number[],
  fragment: boolean,
): { sizes: number[]; told: WatchResponse[] } {
  const messages: Uint8Array[] = [];
  const server = {
    maxRequestBytes,
    headerAt: (revision: number) => ({
      prefix: headerPrefix({ clusterId: 1n, memberId: 2n }),
      revision,
      raftTerm: 3,
    }),
  };
  const call = {
    write(message: Uint8Array) {
      messages.push(message);
      return true;
    },
  };
  const answers = new WatchAnswers(server as unknown as WatchService, call as unknown as GrpcCall, () => {});
  const events = valueBytes.map((length, i) => {
    const kv = { key: Uint8Array.of(i), value: new Uint8Array(length) };
    const encoded = toBinary(WatchResponseSchema, create(WatchResponseSchema, { events: [{ kv }] }));
    return { bytes: () => encoded } as unknown as StoreEvent;
  });
  const watcher = { id: 5n, prevKv: false, fragment } as WatcherInfo;
  assert.equal(answers.events(watcher, events, 9 as Revision), true);
  return {
    sizes: messages.map(({ length }) => length),
    told: messages.map((message) => fromBinary(WatchResponseSchema, message)),
  };
}

const marks = (told: readonly WatchResponse[]) =>
  told.map(({ fragment, events }) => [fragment, events.length]);

describe("What a watch is told", () => {
  it("comes in fragments once it reaches the largest request and what gRPC adds", () => {
    const { sizes: small } = toldOf([200_000, 200_000], true);
    const spare = limit - small[0]!;
    assert.deepEqual(marks(toldOf([200_000, 200_000 + spare - 1], true).told), [[false, 2]]);
    assert.deepEqual(marks(toldOf([200_000, 200_000 + spare], true).told), [
      [true, 1],
      [false, 1],
    ]);
  });

  it("comes in as few fragments as fit, each below the limit", () => {
    const { told, sizes } = toldOf([200_000, 200_000, 200_000, 100_000, 300_000], true);
    assert.deepEqual(marks(told), [
      [true, 2],
      [true, 2],
      [false, 1],
    ]);
    assert.ok(sizes.every((size) => size < limit));
    assert.deepEqual(
      told.flatMap(({ events }) => events.map(({ kv }) => kv!.key[0])),
      [0, 1, 2, 3, 4],
    );
  });

  it("is never less than one event, nor in fragments for who does not want them", () => {
    assert.deepEqual(marks(toldOf([600_000, 600_000], true).told), [
      [true, 1],
      [false, 1],
    ]);
    assert.deepEqual(marks(toldOf([600_000], true).told), [[false, 1]]);
    assert.deepEqual(marks(toldOf([600_000, 600_000], false).told), [[false, 2]]);
  });
});
