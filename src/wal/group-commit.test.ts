import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AssertionError } from "../lib/assert.ts";
import type { DiskOperation } from "../lib/testing/fault-disk.ts";
import { lazyWriteDelayMs } from "./group-commit.ts";
import { brief, entries, entry, hardState, mark, SmallLog } from "./testing/small-log.ts";
import type { WalBatch } from "./wal.ts";

/** Writes of a log that can be held up. */
class Gate {
  readonly writes: DiskOperation[] = [];
  #waiting: (() => void)[] = [];
  #open = true;

  constructor(log: SmallLog) {
    log.disk.hook = async (operation) => {
      if (operation.kind !== "writeDurably" && operation.kind !== "write") return undefined;
      this.writes.push(operation);
      if (!this.#open) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      return undefined;
    };
  }

  shut(): void {
    this.#open = false;
  }

  open(): void {
    this.#open = true;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Lets the write that waits go on. */
  async pass(): Promise<void> {
    while (this.#waiting.length === 0) await turn();
    this.#waiting.shift()!();
    await turn();
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function batch(part: Partial<WalBatch>): WalBatch {
  return { entries: [], mustSync: true, ...part };
}

async function opened(): Promise<{ log: SmallLog; gate: Gate }> {
  const log = new SmallLog();
  await log.open();
  return { log, gate: new Gate(log) };
}

describe("save", () => {
  it("writes what comes in one turn, and what comes during a write, together", async () => {
    const { log, gate } = await opened();
    gate.shut();
    const done: number[] = [];
    const save = (index: number) =>
      log.wal.save(batch({ entries: [entry(index)] }), (error) => {
        assert.equal(error, undefined);
        done.push(index);
      });
    for (let index = 1; index <= 3; index++) save(index);
    assert.equal(gate.writes.length, 0, "nothing is written from inside save");
    await turn();
    assert.equal(gate.writes.length, 1);
    for (let index = 4; index <= 50; index++) save(index);
    await turn();
    assert.equal(gate.writes.length, 1, "one write at a time");
    assert.deepEqual(done, []);
    await gate.pass();
    assert.deepEqual(done, [1, 2, 3]);
    assert.equal(gate.writes.length, 2);
    await gate.pass();
    assert.equal(done.length, 50);
    assert.deepEqual(
      done,
      entries(1, 50).map((item) => item.index),
    );
    assert.equal((await log.reopen()).lastIndex, 50);
  });

  it("begins the next write before it answers the last one", async () => {
    const { log, gate } = await opened();
    gate.shut();
    let writesAtAnswer = 0;
    log.wal.save(batch({ entries: [entry(1)] }), () => {
      writesAtAnswer = gate.writes.length;
    });
    await turn();
    log.wal.save(batch({ entries: [entry(2)] }), () => {});
    await gate.pass();
    assert.equal(writesAtAnswer, 2);
    await gate.pass();
    await log.close();
  });

  it("can be called from an answer", async () => {
    const { log } = await opened();
    const last = await new Promise<number>((resolve) => {
      const next = (index: number): void => {
        log.wal.save(batch({ entries: [entry(index)] }), () =>
          index < 20 ? next(index + 1) : resolve(index),
        );
      };
      next(1);
    });
    assert.equal(last, 20);
    assert.equal((await log.reopen()).lastIndex, 20);
  });

  it("never answers from inside the call", async () => {
    const { log } = await opened();
    for (const part of [{ entries: [entry(1)] }, { mustSync: false }, { mustSync: true }]) {
      let inside = true;
      const answered = new Promise<void>((resolve) => {
        log.wal.save(batch(part), () => {
          assert.equal(inside, false);
          resolve();
        });
      });
      inside = false;
      await answered;
    }
    await log.close();
  });

  it("cuts a large batch into several frames", async () => {
    const { log, gate } = await opened();
    const many = entries(1, 40, 1, 300_000);
    await log.save({ entries: many, hardState: hardState(1, 1n, 40) });
    assert.equal(gate.writes.length, 3);
    assert.ok(gate.writes.every((write) => write.length < 5 * 1024 * 1024));
    const contents = await log.reopen();
    assert.equal(contents.lastIndex, 40);
    assert.deepEqual(contents.entries[39], many[39]);
    assert.equal(contents.hardState?.commit, 40);
  });

  it("takes an entry larger than a frame, and than a segment", async () => {
    const log = new SmallLog();
    await log.open(0, { segmentBytes: 64 * 1024 });
    const large = entry(2, 1, 9 * 1024 * 1024);
    for (const item of [entry(1), large, entry(3)]) await log.save({ entries: [item] });
    const contents = await log.reopen(0, { segmentBytes: 64 * 1024 });
    assert.deepEqual(contents.entries, [entry(1), large, entry(3)]);
    assert.equal(log.files().length, 3);
  });

  it("refuses a batch that does not fit, and goes on without it", async () => {
    const { log, gate } = await opened();
    await log.save({ entries: entries(1, 5), hardState: hardState(1, 1n, 3) });
    const misfits: [Partial<WalBatch>, RegExp][] = [
      [{ entries: [entry(7)] }, /entry 7 does not follow entry 5/],
      [{ entries: [entry(0)] }, /entry 0 does not follow/],
      [{ entries: [entry(6), entry(8)] }, /entry 8 does not follow entry 6/],
      [{ entries: [entry(6), entry(6)] }, /entry 6 does not follow entry 6/],
      [{ hardState: hardState(1, 1n, 6) }, /commit index 6 is beyond the last entry 5/],
      [{ entries: [entry(2)], hardState: hardState(1, 1n, 3) }, /commit index 3 is beyond the last entry 2/],
      [{ snapshot: mark(9, 1), entries: [entry(11)] }, /entry 11 does not follow entry 9/],
    ];
    const { length } = gate.writes;
    for (const [part, message] of misfits) {
      assert.throws(
        () => log.wal.save(batch(part), () => assert.fail("answered")),
        (error) => error instanceof AssertionError && message.test(error.message),
      );
    }
    await turn();
    assert.equal(gate.writes.length, length, "nothing was written");
    await log.save({ entries: [entry(6)] });
    assert.equal(brief((await log.reopen()).entries), "1@1 2@1 3@1 4@1 5@1 6@1");
  });

  it("is not harmed by an error in a callback, and does not swallow it", async () => {
    const { log } = await opened();
    const thrown = new Error("from a callback");
    // The runtime gives errors of microtasks to the process, where a test cannot catch them on all runtimes.
    const queued: (() => void)[] = [];
    const { queueMicrotask: original } = globalThis;
    let second: Promise<void>;
    try {
      second = new Promise((resolve) => {
        log.wal.save(batch({ entries: [entry(1)] }), () => {
          globalThis.queueMicrotask = (callback) => void queued.push(callback);
          throw thrown;
        });
        log.wal.save(batch({ entries: [entry(2)] }), () => {
          globalThis.queueMicrotask = original;
          resolve();
        });
      });
      await second;
    } finally {
      globalThis.queueMicrotask = original;
    }
    assert.equal(queued.length, 1);
    assert.throws(() => queued[0]!(), thrown);
    assert.equal((await log.reopen()).lastIndex, 2);
  });
});

describe("a moved commit index", () => {
  it("goes along with the next batch", async () => {
    const { log, gate } = await opened();
    await log.save({ entries: entries(1, 3), hardState: hardState(1, 1n, 0) });
    const { length } = gate.writes;
    await log.save({ hardState: hardState(1, 1n, 2), mustSync: false });
    await log.save({ hardState: hardState(1, 1n, 3), mustSync: false });
    assert.equal(gate.writes.length, length);
    await log.save({ entries: [entry(4)] });
    assert.equal(gate.writes.length, length + 1);
    assert.equal(log.clock.timers.size, 0);
    log.disk = log.disk.afterKill();
    assert.deepEqual((await log.open()).hardState, hardState(1, 1n, 3));
  });

  it("is written by itself after a while, once, and then nothing is", async () => {
    const { log, gate } = await opened();
    await log.save({ entries: entries(1, 3), hardState: hardState(1, 1n, 0) });
    const { length } = gate.writes;
    await log.save({ hardState: hardState(1, 1n, 3), mustSync: false });
    assert.deepEqual(
      [...log.clock.timers].map((timer) => timer.delayMs),
      [lazyWriteDelayMs],
    );
    log.clock.fire();
    await turn();
    assert.equal(gate.writes.length, length + 1);
    // The same again is no news.
    await log.save({ hardState: hardState(1, 1n, 3), mustSync: false });
    await log.save({ hardState: hardState(1, 1n, 3), mustSync: true });
    assert.equal(log.clock.timers.size, 0);
    assert.equal(gate.writes.length, length + 1);
    log.disk = log.disk.afterKill();
    assert.deepEqual((await log.open()).hardState, hardState(1, 1n, 3));
  });

  it("is written when the log is closed", async () => {
    const { log } = await opened();
    await log.save({ entries: entries(1, 3), hardState: hardState(1, 1n, 0) });
    await log.save({ hardState: hardState(1, 1n, 2), mustSync: false });
    assert.deepEqual((await log.reopen()).hardState, hardState(1, 1n, 2));
  });

  it("is answered after the batches before it", async () => {
    const { log, gate } = await opened();
    gate.shut();
    const order: string[] = [];
    log.wal.save(batch({ entries: [entry(1)], hardState: hardState(1, 1n, 0) }), () => order.push("entry"));
    log.wal.save(batch({ hardState: hardState(1, 1n, 1), mustSync: false }), () => order.push("commit"));
    await turn();
    log.wal.save(batch({ mustSync: false }), () => order.push("nothing"));
    await turn();
    assert.deepEqual(order, []);
    await gate.pass();
    assert.deepEqual(order, ["entry", "commit", "nothing"]);
    gate.open();
    await log.close();
  });
});

describe("a vote or a new term", () => {
  it("is on disk before the answer, even if the caller forgot to say so", async () => {
    const { log, gate } = await opened();
    for (const state of [hardState(1, 0n, 0), hardState(1, 5n, 0), hardState(2, 5n, 0)]) {
      const { length } = gate.writes;
      await log.save({ hardState: state, mustSync: false });
      assert.equal(gate.writes.length, length + 1);
    }
    log.disk = log.disk.afterKill();
    assert.deepEqual((await log.open()).hardState, hardState(2, 5n, 0));
  });
});

describe("after a failed write", () => {
  const faults = [
    { code: "ENOSPC", writtenBytes: 40 },
    { code: "EIO", writtenBytes: 1 },
    { code: "EROFS", writtenBytes: 20 },
    { code: "EIO", writtenBytes: 55 },
  ];
  for (const fault of faults) {
    const { code } = fault;
    it(`(${code} after ${fault.writtenBytes} bytes) everybody hears of it, and nothing is written any more`, async () => {
      const { log, gate } = await opened();
      await log.save({ entries: [entry(1)] });
      const hook = log.disk.hook!;
      log.disk.hook = async (operation) => {
        await hook(operation);
        return operation.kind === "writeDurably" ? fault : undefined;
      };
      const errors: (Error | undefined)[] = [];
      const note = (error?: Error): void => void errors.push(error);
      log.wal.save(batch({ entries: [entry(2)] }), note);
      await turn();
      log.wal.save(batch({ entries: [entry(3)] }), note);
      while (errors.length < 2) await turn();
      log.disk.hook = hook;
      const { length } = gate.writes;
      log.wal.save(batch({ entries: [entry(4)] }), note);
      log.wal.save(batch({ mustSync: false }), note);
      log.wal.release(1 as never, 1);
      await turn();
      assert.equal(errors.length, 4);
      for (const error of errors) {
        assert.equal(error?.name, "WalIoError");
        assert.equal((error as { code?: string }).code, code);
        assert.match(error!.message, new RegExp(`cannot write /d/log/.*wal: .*\\(${code}\\)`));
      }
      assert.equal(gate.writes.length, length);
      await log.close();
      // What was acknowledged is there, and what was written halfway is not.
      assert.equal(brief((await log.open()).entries), "1@1");
      assert.match(log.warnings.join(), /repaired a torn write/);
      await log.save({ entries: [entry(2, 2)] });
      assert.equal(brief((await log.reopen()).entries), "1@1 2@2");
    });
  }

  it("of a new segment the log ends as well", async () => {
    const log = new SmallLog();
    await log.open(0, { segmentBytes: 4096 });
    log.disk.hook = ({ kind }) => (kind === "rename" ? { code: "EIO" } : undefined);
    let acknowledged = 0;
    await assert.rejects(
      async () => {
        for (let index = 1; index <= 20; index++) {
          await log.save({ entries: [entry(index, 1, 500)] });
          acknowledged = index;
        }
      },
      { name: "WalIoError", code: "EIO" },
    );
    await log.close();
    log.disk.hook = undefined;
    assert.equal((await log.open()).lastIndex, acknowledged);
  });
});

describe("an idle log", () => {
  it("writes nothing at all", async () => {
    const { log } = await opened();
    await log.save({ entries: [entry(1)], hardState: hardState(1, 1n, 0) });
    const seen: string[] = [];
    log.disk.hook = ({ kind }) => {
      seen.push(kind);
      return undefined;
    };
    log.clock.fire();
    await turn();
    await log.save({ mustSync: false });
    await log.save({ mustSync: true });
    assert.deepEqual(seen, []);
    assert.equal(log.clock.timers.size, 0);
    await log.close();
    assert.deepEqual(seen, ["close"]);
  });
});

describe("close", () => {
  it("waits for what was saved, can be called twice, and refuses what comes later", async () => {
    const { log, gate } = await opened();
    gate.shut();
    let saved = false;
    log.wal.save(batch({ entries: [entry(1)] }), () => {
      saved = true;
    });
    const closing = log.close();
    await turn();
    assert.equal(saved, false);
    await gate.pass();
    await closing;
    assert.equal(saved, true);
    await log.close();
    await assert.rejects(log.save({ entries: [entry(2)] }), /the log is closed/);
  });
});

describe("measurements", () => {
  it("give the time of each durable write, and a warning for a slow one", async () => {
    const { log } = await opened();
    const hook = log.disk.hook!;
    let tookMs = 2;
    log.disk.hook = (operation) => {
      if (operation.kind === "persist") log.clock.nowMs += tookMs;
      return hook(operation);
    };
    await log.save({ entries: [entry(1)] });
    tookMs = 1500;
    await log.save({ entries: [entry(2)] });
    assert.deepEqual(log.syncs, [0.002, 1.5]);
    assert.deepEqual(log.warnings, ['slow fdatasync {"took":"1.5s","expected-duration":"1s"}']);
    await log.close();
  });
});

describe("zeros ahead of the data", () => {
  it("come with small writes only, a few at a time, and never beyond the segment", async () => {
    const { log, gate } = await opened();
    for (let index = 1; index <= 400; index++) await log.save({ entries: [entry(index, 1, 300)] });
    const small = gate.writes.map((write) => write.length);
    const filling = small.filter((length) => length > 60_000);
    assert.equal(filling.length, 3);
    assert.ok(small.filter((length) => length < 600).length === 397);
    await log.save({ entries: entries(401, 900, 1, 500) });
    assert.ok(gate.writes.at(-1)!.length < 500 * 540);
    await log.reopen(0, { segmentBytes: 8192 });
    for (let index = 901; index <= 960; index++) await log.save({ entries: [entry(index, 1, 300)] });
    for (const path of log.disk.paths().slice(1)) assert.ok(log.disk.contentOf(path).length <= 8192, path);
    assert.equal((await log.reopen()).lastIndex, 960);
  });
});
