import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Revision } from "../../lib/ids.ts";
import { finish } from "../../lib/steps.ts";
import { MvccStore } from "../store.ts";
import { PlainBackend } from "../testing/plain-backend.ts";
import { RecordingSink } from "../testing/recording-sink.ts";
import {
  bytes,
  deleteRequest,
  indexes,
  ops,
  putRequest,
  term,
  text,
  txnRequest,
} from "../testing/requests.ts";
import type { WatchOptions } from "./types.ts";
import { WatchHub } from "./watch-hub.ts";

function setUp() {
  const backend = new PlainBackend();
  const store = new MvccStore({ backend, leases: { has: () => true } });
  const hub = new WatchHub(store);
  const next = indexes();
  const sink = new RecordingSink();
  const stream = hub.openStream(sink);
  return {
    backend,
    store,
    hub,
    sink,
    stream,
    next,
    put: (key: string, value = "") => store.applyPut(putRequest(key, value), next(), term),
    remove: (key: string, rangeEnd = "") =>
      finish(store.applyDeleteRange(deleteRequest(key, rangeEnd), next(), term)),
    txn: (...success: Parameters<typeof txnRequest>[0]["success"] & object) =>
      finish(store.applyTxn(txnRequest({ success }), next(), term)),
    compact: (revision: number) => store.applyCompaction(revision as Revision, next(), term),
    watch: (key: string, rangeEnd = "", options: Partial<WatchOptions> = {}) => {
      const created = stream.create({ key: bytes(key), rangeEnd: bytes(rangeEnd), ...options });
      return "id" in created ? created.id : created.refused;
    },
    deliver: () => finish(hub.deliver()),
    flush: () => {
      const generation = store.seal();
      if (generation) backend.writeNow(generation);
      if (generation) store.dropSealed();
    },
  };
}

describe("creating a watcher", () => {
  it("numbers them from 0, leaving out what clients chose", () => {
    const { watch, stream } = setUp();
    assert.deepEqual([watch("a"), watch("a", "", { watchId: 2n }), watch("a"), watch("a")], [0n, 2n, 1n, 3n]);
    assert.equal(watch("a", "", { watchId: 2n }), "mvcc: duplicate watch ID provided on the WatchStream");
    assert.equal(stream.cancel(2n), true);
    assert.equal(stream.cancel(2n), false);
    assert.equal(watch("a", "", { watchId: 2n }), 2n);
    assert.equal(watch("a", "", { watchId: -7n }), -7n);
  });

  it("refuses ranges that hold nothing, and negative revisions", () => {
    const { watch } = setUp();
    assert.equal(watch("b", "a"), "mvcc: watcher range is empty");
    assert.equal(watch("b", "b"), "mvcc: watcher range is empty");
    assert.equal(watch("b", "\0"), 0n);
    assert.equal(
      watch("b", "", { startRevision: -1 }),
      "etcdserver: mvcc: required revision has been compacted",
    );
  });

  it("never sends anything by itself", () => {
    const { watch, put, sink, deliver } = setUp();
    put("a", "1");
    watch("a", "", { startRevision: 2 });
    assert.deepEqual(sink.take(), []);
    deliver();
    assert.deepEqual(sink.take(), ["0: 2 [put a=1@2]"]);
  });
});

describe("events", () => {
  it("go to keys, ranges, prefixes to the end, and to nobody else", () => {
    const { watch, put, remove, sink, deliver } = setUp();
    watch("a");
    watch("a", "c");
    watch("b", "\0");
    watch("", "\0");
    put("a", "1");
    deliver();
    assert.deepEqual(sink.take().sort(), ["0: 2 [put a=1@2]", "1: 2 [put a=1@2]", "3: 2 [put a=1@2]"]);
    put("z", "1");
    deliver();
    assert.deepEqual(sink.take().sort(), ["2: 3 [put z=1@3]", "3: 3 [put z=1@3]"]);
    remove("a", "b");
    deliver();
    assert.deepEqual(sink.take().sort(), ["0: 4 [delete a@4]", "1: 4 [delete a@4]", "3: 4 [delete a@4]"]);
  });

  it("of several revisions may come in one answer, those of one revision always do", () => {
    const { watch, put, txn, sink, deliver } = setUp();
    watch("a", "c");
    put("a", "1");
    txn(ops.put("b", "2"), ops.delete("a"), ops.put("c", "2"));
    put("x");
    deliver();
    assert.deepEqual(sink.take(), ["0: 4 [put a=1@2, put b=2@3, delete a@3]"]);
  });

  it("are filtered", () => {
    const { watch, put, remove, sink, deliver } = setUp();
    watch("a", "", { noPut: true });
    watch("a", "", { noDelete: true });
    watch("a", "", { noPut: true, noDelete: true });
    put("a", "1");
    remove("a");
    deliver();
    assert.deepEqual(sink.take(), ["0: 3 [delete a@3]", "1: 3 [put a=1@2]"]);
  });

  it("start with a revision to come, or one that was", () => {
    const { watch, put, sink, deliver, flush } = setUp();
    put("a", "1");
    flush();
    put("a", "2");
    watch("a", "", { startRevision: 5 });
    watch("a", "", { startRevision: 3 });
    watch("a", "", { startRevision: 2 });
    watch("a", "", { startRevision: 1 });
    put("a", "3");
    deliver();
    assert.deepEqual(sink.take().sort(), [
      "1: 4 [put a=2@3, put a=3@4]",
      "2: 2 [put a=1@2]",
      "2: 4 [put a=2@3, put a=3@4]",
      "3: 2 [put a=1@2]",
      "3: 4 [put a=2@3, put a=3@4]",
    ]);
    put("a", "4");
    deliver();
    assert.deepEqual(sink.take().sort(), [
      "0: 5 [put a=4@5]",
      "1: 5 [put a=4@5]",
      "2: 5 [put a=4@5]",
      "3: 5 [put a=4@5]",
    ]);
  });

  it("that were applied before the watcher came do not reach it, though they are not delivered yet", () => {
    const { watch, put, sink, deliver } = setUp();
    watch("a");
    put("a", "1");
    watch("a");
    put("a", "2");
    deliver();
    assert.deepEqual(sink.take(), ["0: 3 [put a=1@2, put a=2@3]", "1: 3 [put a=2@3]"]);
  });

  it("stop with a cancel, also in the middle of a delivery", () => {
    const { hub, watch, put, sink, stream, deliver } = setUp();
    for (let i = 0; i < 300; i++) watch("a");
    put("a", "1");
    const steps = hub.deliver();
    steps.next();
    const before = sink.received.length;
    assert.ok(before > 0 && before < 300, `${before} were sent in the first step`);
    stream.cancel(299n);
    finish(steps);
    assert.equal(sink.received.length, 299);
    stream.close();
    sink.take();
    put("a", "2");
    deliver();
    assert.deepEqual(sink.take(), []);
    assert.deepEqual(hub.counts, { streams: 0, watchers: 0, slow: 0, events: 299 });
  });
});

describe("the version before", () => {
  it("is the one at the revision before, wherever it lies", () => {
    for (const flushed of [false, true]) {
      const { watch, put, remove, txn, sink, deliver, flush } = setUp();
      const between = () => flushed && flush();
      put("a", "1");
      between();
      watch("a", "c");
      put("a", "2");
      between();
      remove("a");
      between();
      put("a", "3");
      between();
      txn(ops.put("b", "1"), ops.delete("b"));
      between();
      deliver();
      const previous = sink.received.flatMap((one) =>
        one.kind === "events" ? one.events.map((event) => event.prevKv && text(event.prevKv.value)) : [],
      );
      assert.deepEqual(previous, ["1", "2", undefined, undefined, undefined]);
    }
  });

  it("is left out when its revision is compacted", () => {
    const { watch, put, sink, deliver, compact, flush } = setUp();
    put("a", "1");
    flush();
    put("a", "2");
    flush();
    compact(3);
    watch("a", "", { startRevision: 3 });
    deliver();
    const [answer] = sink.received;
    assert.ok(answer?.kind === "events");
    assert.equal(answer.events[0]!.prevKv, undefined);
  });

  it("is in the bytes only if it is asked for, and bytes are made once", () => {
    const { watch, put, sink, deliver } = setUp();
    put("a", "before");
    watch("a");
    watch("a");
    put("a", "after");
    deliver();
    const [first, second] = sink.received;
    assert.ok(first?.kind === "events" && second?.kind === "events");
    assert.equal(first.events, second.events, "the same array for both");
    const [event] = first.events;
    assert.equal(event!.bytes(true), event!.bytes(true));
    assert.equal(event!.bytes(false), event!.bytes(false));
    assert.ok(text(event!.bytes(true)).includes("before"));
    assert.ok(!text(event!.bytes(false)).includes("before"));
  });
});

describe("a full sink", () => {
  it("gets nothing more, holds up nobody, and reads on where it was", () => {
    const { hub, watch, put, sink, stream, deliver, flush } = setUp();
    const other = new RecordingSink();
    hub.openStream(other).create({ key: bytes("a") });
    watch("a");
    watch("b");
    sink.room = 1;
    for (let i = 1; i <= 5; i++) {
      put("a", String(i));
      deliver();
      if (i === 3) flush();
    }
    assert.equal(other.take().length, 5);
    assert.deepEqual(sink.take(), ["0: 2 [put a=1@2]"]);
    assert.deepEqual(hub.counts, { streams: 2, watchers: 3, slow: 1, events: 6 });
    put("b", "1");
    sink.room = 10;
    stream.drained();
    assert.equal(hub.hasWork, true);
    deliver();
    assert.deepEqual(sink.take(), [
      "1: 7 [put b=1@7]",
      "0: 4 [put a=2@3, put a=3@4]",
      "0: 7 [put a=4@5, put a=5@6]",
    ]);
    assert.deepEqual(hub.counts, { streams: 2, watchers: 3, slow: 0, events: 11 });
  });

  it("loses what is compacted before it drains, and is told so", () => {
    const { watch, put, sink, stream, deliver, compact } = setUp();
    watch("a");
    watch("z");
    sink.room = 1;
    for (let i = 1; i <= 3; i++) put("a", String(i));
    deliver();
    for (let i = 4; i <= 6; i++) put("a", String(i));
    deliver();
    compact(6);
    sink.room = 10;
    stream.drained();
    deliver();
    assert.deepEqual(sink.take(), ["0: 4 [put a=1@2, put a=2@3, put a=3@4]", "0: compacted 6"]);
    put("a");
    put("z");
    deliver();
    assert.deepEqual(sink.take(), ["1: 9 [put z=@9]"]);
    assert.equal(watch("a", "", { watchId: 5n }), 5n);
  });
});

describe("a compacted start", () => {
  it("cancels the watcher, whose id stays taken until the client cancels it", () => {
    const { watch, put, sink, stream, deliver, compact } = setUp();
    for (let i = 1; i <= 5; i++) put("a", String(i));
    compact(4);
    watch("a", "", { startRevision: 3, watchId: 9n });
    watch("a", "", { startRevision: 4 });
    deliver();
    assert.deepEqual(sink.take().sort(), ["0: 6 [put a=3@4, put a=4@5, put a=5@6]", "9: compacted 4"]);
    assert.equal(watch("a", "", { watchId: 9n }), "mvcc: duplicate watch ID provided on the WatchStream");
    assert.equal(stream.cancel(9n), true);
    assert.equal(watch("a", "", { watchId: 9n }), 9n);
  });
});

describe("progress", () => {
  it("is told on request when all watchers of the stream are synced", () => {
    const { watch, put, sink, stream, deliver } = setUp();
    stream.requestProgress();
    assert.deepEqual(sink.take(), [], "nobody to tell about");
    watch("a");
    stream.requestProgress();
    assert.deepEqual(sink.take(), ["-1: progress 1"]);
    put("a", "1");
    stream.requestProgress();
    assert.deepEqual(sink.take(), [], "an event is on its way");
    deliver();
    assert.deepEqual(sink.take(), ["0: 2 [put a=1@2]", "-1: progress 2"]);
    watch("b", "", { startRevision: 2 });
    stream.requestProgress();
    assert.deepEqual(sink.take(), []);
    deliver();
    assert.deepEqual(sink.take(), ["-1: progress 2"]);
  });

  it("is not told while a watcher waits for a revision to come", () => {
    const { watch, sink, stream, put, deliver } = setUp();
    watch("a", "", { startRevision: 3 });
    stream.requestProgress();
    put("x");
    put("x");
    deliver();
    assert.deepEqual(sink.take(), []);
    stream.requestProgress();
    assert.deepEqual(sink.take(), ["-1: progress 3"]);
  });

  it("does not overtake events that a full sink has yet to get", () => {
    const { watch, put, sink, stream, deliver } = setUp();
    watch("a");
    sink.room = 1;
    put("a", "1");
    deliver();
    put("a", "2");
    deliver();
    stream.requestProgress();
    assert.deepEqual(sink.take(), ["0: 2 [put a=1@2]"]);
    sink.room = 10;
    stream.drained();
    deliver();
    assert.deepEqual(sink.take(), ["0: 3 [put a=2@3]", "-1: progress 3"]);
  });

  it("is told at a tick to those who asked and had no events since the last", () => {
    const { watch, put, sink, stream, deliver } = setUp();
    watch("a", "", { progressNotify: true });
    watch("b", "", { progressNotify: true });
    watch("c");
    put("a", "1");
    stream.tick();
    assert.deepEqual(sink.take(), []);
    deliver();
    assert.deepEqual(sink.take(), ["0: 2 [put a=1@2]", "1: progress 2"]);
    stream.tick();
    assert.deepEqual(sink.take(), ["0: progress 2", "1: progress 2"]);
  });

  it("waits for the end of a delivery that is under way", () => {
    const { hub, watch, put, sink, stream } = setUp();
    for (let i = 0; i < 300; i++) watch("a");
    put("a", "1");
    const steps = hub.deliver();
    steps.next();
    stream.requestProgress();
    assert.ok(sink.received.every((one) => one.kind === "events"));
    finish(steps);
    assert.equal(sink.received.length, 301);
    assert.equal(sink.received.at(-1)!.kind, "progress");
  });
});

describe("the history that watchers need", () => {
  it("holds up the backend's compaction until it is delivered", () => {
    const { store, watch, put, deliver, flush } = setUp();
    watch("a");
    put("a", "1");
    deliver();
    put("a", "2");
    flush();
    assert.equal(store.oldestReadRevision, 2);
    store.expireReads(100 as Revision);
    assert.equal(store.oldestReadRevision, 2, "watchers cannot be made to fail");
    deliver();
    assert.equal(store.oldestReadRevision, 3);
  });

  it("is read in the new store after a restore", () => {
    const { hub, watch, put, sink, deliver } = setUp();
    put("a", "1");
    watch("a");
    watch("a", "", { startRevision: 6 });
    deliver();
    const other = setUp();
    for (let i = 1; i <= 4; i++) other.put("a", `other ${i}`);
    hub.restore(other.store);
    deliver();
    assert.deepEqual(sink.take(), ["0: 5 [put a=other 2@3, put a=other 3@4, put a=other 4@5]"]);
    other.put("a", "last");
    deliver();
    assert.deepEqual(sink.take().sort(), ["0: 6 [put a=last@6]", "1: 6 [put a=last@6]"]);
  });

  it("is read in the new store also when that comes in the middle of a delivery", () => {
    for (let pause = 1; pause < 12; pause++) {
      const { hub, watch, put, sink, stream } = setUp();
      watch("a");
      watch("a", "", { startRevision: 1 });
      for (let i = 1; i <= 3; i++) put("a", String(i));
      const other = setUp();
      for (let i = 1; i <= 5; i++) other.put("a", String(i));
      const delivery = hub.deliver();
      for (let i = 0; i < pause; i++) delivery.next();
      hub.restore(other.store);
      stream.requestProgress();
      finish(delivery);
      finish(hub.deliver());
      const told = sink.take();
      for (const id of [0, 1]) {
        const mine = told.filter((line) => line.startsWith(`${id}: `)).join(" ");
        const revisions = [...mine.matchAll(/put a=(\d)@(\d+)/g)].map(([, value, at]) => [value, at]);
        const wanted = [1, 2, 3, 4, 5].map((i) => [String(i), String(i + 1)]);
        assert.deepEqual(revisions, wanted, `watcher ${id}, pause ${pause}: ${told}`);
      }
      assert.equal(hub.hasWork, false);
      assert.equal(other.store.oldestReadRevision, 1);
    }
  });
});
