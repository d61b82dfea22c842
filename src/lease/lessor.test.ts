import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leaseRowKey } from "../codec/lease-row.ts";
import { errors } from "../errors/table.ts";
import type { LeaseId } from "../lib/ids.ts";
import { finish } from "../lib/steps.ts";
import { Lessor, type LessorOptions, leaseBucket, maxLeaseTtlSeconds, minLeaseTtlSeconds } from "./lessor.ts";

const id = (value: number | bigint) => BigInt(value) as LeaseId;

function leader(options: Partial<LessorOptions> = {}): Lessor {
  const lessor = new Lessor({ minTtlSeconds: 2, ...options });
  finish(lessor.promote(0, 0));
  return lessor;
}

function granted(lessor: Lessor, ...ttls: number[]): Lessor {
  for (const [i, ttlSeconds] of ttls.entries()) lessor.grant({ id: id(i + 1), ttlSeconds }, 0);
  return lessor;
}

/** A lessor started from the rows that `lessor` wrote. */
function restarted(rows: Map<string, Uint8Array>, nowMs: number, extendMs = 0): Lessor {
  const lessor = new Lessor({ minTtlSeconds: 2 });
  finish(lessor.load(rows));
  finish(lessor.promote(nowMs, extendMs));
  return lessor;
}

describe("granting", () => {
  it("keeps etcd's limits", () => {
    const lessor = leader();
    assert.equal(lessor.grant({ id: id(1), ttlSeconds: -5 }, 0).ttlSeconds, 2);
    assert.equal(lessor.grant({ id: id(2), ttlSeconds: 1 }, 0).ttlSeconds, 2);
    assert.equal(lessor.grant({ id: id(3), ttlSeconds: maxLeaseTtlSeconds }, 0).ttlSeconds, 9e9);
    const refused: [number | bigint, number, { text: string }][] = [
      [4, maxLeaseTtlSeconds + 1, errors.leaseTtlTooLarge],
      [4, Number.MAX_VALUE, errors.leaseTtlTooLarge],
      [3, 60, errors.leaseExist],
      [0, 60, errors.leaseNotFound],
    ];
    for (const [lease, ttlSeconds, { text }] of refused) {
      assert.throws(() => lessor.grant({ id: id(lease), ttlSeconds }, 0), { message: text });
    }
    assert.equal(lessor.size, 3);
    assert.ok(lessor.has(id(3)) && !lessor.has(id(4)));
  });

  it("derives the least time from the election timeout", () => {
    assert.equal(minLeaseTtlSeconds({ heartbeatMs: 100, electionTicks: 10 }), 2);
    assert.equal(minLeaseTtlSeconds({ heartbeatMs: 500, electionTicks: 10 }), 8);
    assert.equal(minLeaseTtlSeconds({ heartbeatMs: 100, electionTicks: 11 }), 2);
    assert.equal(minLeaseTtlSeconds({ heartbeatMs: 1, electionTicks: 10 }), 1);
  });

  it("writes etcd's rows, and reads them back", () => {
    const lessor = leader();
    const { row } = lessor.grant({ id: id(0x0102030405060708n), ttlSeconds: 60 }, 0);
    assert.equal(row.bucket, "lease");
    assert.equal(row.key, "\x01\x02\x03\x04\x05\x06\x07\x08");
    assert.deepEqual([...row.value!], [0x08, 0x88, 0x8e, 0x98, 0xa8, 0xc0, 0xe0, 0x80, 0x81, 0x01, 0x10, 60]);
    const [checkpointed] = lessor.checkpoint([{ id: id(0x0102030405060708n), remainingTtlSeconds: 9 }]);
    assert.deepEqual([...checkpointed!.value!.subarray(-4)], [0x10, 60, 0x18, 9]);
    const negative = lessor.grant({ id: id(-2n), ttlSeconds: 60 }, 0).row;
    assert.equal(negative.key, "\xff\xff\xff\xff\xff\xff\xff\xfe");
    const again = restarted(new Map([checkpointed!, negative].map((one) => [one.key, one.value!])), 0);
    assert.deepEqual(again.timeToLive(id(0x0102030405060708n), 0), {
      grantedTtlSeconds: 60,
      remainingSeconds: 9,
    });
    assert.deepEqual(again.timeToLive(id(-2n), 0), { grantedTtlSeconds: 60, remainingSeconds: 60 });
    assert.deepEqual(lessor.revoke(id(-2n)), {
      bucket: leaseBucket,
      key: leaseRowKey(id(-2n)),
      value: undefined,
    });
    assert.throws(() => lessor.revoke(id(-2n)), { message: errors.leaseNotFound.text });
  });

  it("refuses a row whose key is no id, and raises times under the least", () => {
    const lessor = new Lessor({ minTtlSeconds: 5 });
    assert.throws(() => finish(lessor.load([["short", new Uint8Array(0)]])), /a key of 5 bytes/);
    finish(lessor.load([[leaseRowKey(id(7)), Uint8Array.of(0x08, 7, 0x10, 2)]]));
    assert.equal(lessor.timeToLive(id(7), 0)?.grantedTtlSeconds, 5);
  });
});

describe("time", () => {
  it("passes only on the leader", () => {
    const lessor = granted(new Lessor({ minTtlSeconds: 2 }), 10);
    assert.deepEqual(lessor.timeToLive(id(1), 1e9), { grantedTtlSeconds: 10, remainingSeconds: undefined });
    assert.deepEqual(lessor.renew(id(1), 1e9), { kind: "notPrimary" });
    assert.deepEqual(lessor.expired(1e9, 10), { leases: [], more: false });
    finish(lessor.promote(1e9, 1500));
    assert.equal(lessor.timeToLive(id(1), 1e9)?.remainingSeconds, 11);
    assert.deepEqual(lessor.expired(1e9 + 11_499, 10).leases, []);
    assert.deepEqual(lessor.expired(1e9 + 11_500, 10).leases, [id(1)]);
    lessor.demote();
    assert.deepEqual(lessor.expired(2e9, 10).leases, []);
    finish(lessor.promote(2e9, 0));
    assert.equal(lessor.timeToLive(id(1), 2e9)?.remainingSeconds, 10);
  });

  it("is told in whole seconds, and never as less than nothing", () => {
    const lessor = granted(leader(), 10);
    const left = (nowMs: number) => lessor.timeToLive(id(1), nowMs)?.remainingSeconds;
    assert.deepEqual([0, 1, 9000, 9001, 10_000, 50_000].map(left), [10, 9, 1, 0, 0, 0]);
    assert.equal(lessor.timeToLive(id(2), 0), undefined);
  });

  it("starts again with a renewal, but not after its end", () => {
    const lessor = granted(leader(), 10, 10);
    assert.deepEqual(lessor.renew(id(1), 9999), { kind: "renewed", ttlSeconds: 10, clearFirst: false });
    assert.deepEqual(lessor.renew(id(2), 10_000), { kind: "expired" });
    assert.deepEqual(lessor.renew(id(3), 0), { kind: "notFound" });
    assert.deepEqual(lessor.expired(19_998, 10).leases, [id(2)]);
    assert.deepEqual(lessor.expired(19_999, 10).leases, [id(1)]);
  });

  it("is not cut by a renewal right after a promotion", () => {
    const lessor = new Lessor({ minTtlSeconds: 2 });
    granted(lessor, 10);
    finish(lessor.promote(0, 5000));
    lessor.renew(id(1), 1000);
    assert.deepEqual(lessor.expired(14_999, 10).leases, []);
    assert.deepEqual(lessor.expired(15_000, 10).leases, [id(1)]);
  });

  it("ends leases in the order of their deadlines, again after a while, and not when they are gone", () => {
    const lessor = granted(leader({ revokeRetryMs: 3000 }), 30, 10, 20);
    assert.deepEqual(lessor.expired(30_000, 10), { leases: [id(2), id(3), id(1)], more: false });
    lessor.revoke(id(3));
    assert.deepEqual(lessor.expired(32_999, 10).leases, []);
    assert.deepEqual(new Set(lessor.expired(33_000, 10).leases), new Set([id(1), id(2)]));
  });

  it("ends at most so many leases in a second", () => {
    const lessor = leader({ revokesPerSecond: 100 });
    for (let i = 1; i <= 1000; i++) lessor.grant({ id: id(i), ttlSeconds: 5 }, 0);
    let total = 0;
    for (let nowMs = 10_000; nowMs < 12_000; nowMs += 10) total += lessor.expired(nowMs, 1000).leases.length;
    assert.equal(total, 200);
    const next = lessor.expired(12_000, 7);
    assert.deepEqual([next.leases.length, next.more], [7, true]);
  });
});

describe("a promotion in steps", () => {
  it("counts for every lease at once, and ends with the reign", () => {
    const lessor = new Lessor({ minTtlSeconds: 2 });
    for (let i = 1; i <= 3000; i++) lessor.grant({ id: id(i), ttlSeconds: 10 }, 0);
    const steps = lessor.promote(0, 0);
    steps.next();
    // The last one has not been looked at yet.
    assert.equal(lessor.timeToLive(id(3000), 4000)?.remainingSeconds, 6);
    assert.equal(lessor.renew(id(3000), 4000).kind, "renewed");
    lessor.revoke(id(2999));
    lessor.grant({ id: id(5000), ttlSeconds: 3 }, 4000);
    assert.deepEqual(lessor.expired(7000, 10).leases, [id(5000)]);
    assert.equal(lessor.expired(10_000, 10_000).leases.length, 500);
    finish(steps);
    const leases = new Set<LeaseId>();
    for (let nowMs = 10_500; nowMs < 14_000; nowMs += 500) {
      for (const lease of lessor.expired(nowMs, 10_000).leases) leases.add(lease);
    }
    assert.ok(!leases.has(id(3000)) && !leases.has(id(2999)));
    assert.equal(leases.size, 2998 - 500);

    const abandoned = lessor.promote(0, 0);
    abandoned.next();
    lessor.demote();
    assert.deepEqual(abandoned.next(), { done: true, value: undefined });
    const third = lessor.promote(100_000, 0);
    finish(third);
    assert.equal(lessor.timeToLive(id(3000), 100_000)?.remainingSeconds, 10);
  });
});

describe("checkpoints", () => {
  it("come when half of what is left has passed, but not for the last ten seconds", () => {
    const lessor = granted(leader(), 80);
    const heard: [number, number][] = [];
    for (let nowMs = 0; nowMs < 80_000; nowMs += 500) {
      const { checkpoints } = lessor.dueCheckpoints(nowMs, 1000);
      for (const { remainingTtlSeconds } of checkpoints) heard.push([nowMs, remainingTtlSeconds]);
      lessor.checkpoint(checkpoints);
    }
    assert.deepEqual(heard, [
      [40_000, 40],
      [60_000, 20],
      [70_000, 10],
    ]);
    assert.deepEqual(granted(leader(), 10).dueCheckpoints(9999, 10).checkpoints, []);
    assert.deepEqual(granted(leader({ checkpoints: false }), 1000).dueCheckpoints(9e5, 10).checkpoints, []);
  });

  it("come every five minutes at least", () => {
    const lessor = granted(leader(), 3600);
    assert.deepEqual(lessor.dueCheckpoints(299_999, 10).checkpoints, []);
    assert.deepEqual(lessor.dueCheckpoints(300_000, 10).checkpoints, [
      { id: id(1), remainingTtlSeconds: 3300 },
    ]);
    assert.deepEqual(lessor.dueCheckpoints(300_000, 10).checkpoints, []);
    assert.equal(lessor.dueCheckpoints(600_500, 10).checkpoints.length, 1);
  });

  it("do not come for a lease that is kept alive as clients do it", () => {
    const lessor = granted(leader(), 60);
    for (let nowMs = 0; nowMs < 3_600_000; nowMs += 500) {
      if (nowMs % 20_000 === 0) {
        const renewal = lessor.renew(id(1), nowMs);
        assert.deepEqual(renewal, { kind: "renewed", ttlSeconds: 60, clearFirst: false });
      }
      assert.deepEqual(lessor.dueCheckpoints(nowMs, 1000).checkpoints, []);
    }
  });

  it("let a restarted server go on where it was", () => {
    const lessor = leader();
    const rows = new Map<string, Uint8Array>();
    rows.set(leaseRowKey(id(1)), lessor.grant({ id: id(1), ttlSeconds: 100 }, 0).row.value!);
    for (const row of lessor.checkpoint(lessor.dueCheckpoints(50_000, 10).checkpoints)) {
      rows.set(row.key, row.value!);
    }
    const again = restarted(rows, 1000, 1500);
    assert.equal(again.timeToLive(id(1), 1000)?.remainingSeconds, 51);
    // The first renewal has to tell the log that the lease has its full time again.
    assert.deepEqual(again.renew(id(1), 2000), { kind: "renewed", ttlSeconds: 100, clearFirst: true });
    assert.deepEqual(again.renew(id(1), 2500), { kind: "renewed", ttlSeconds: 100, clearFirst: true });
    const [cleared] = again.checkpoint([{ id: id(1), remainingTtlSeconds: 0 }]);
    assert.deepEqual(again.renew(id(1), 3000), { kind: "renewed", ttlSeconds: 100, clearFirst: false });
    assert.equal(
      restarted(new Map([[cleared!.key, cleared!.value!]]), 0).timeToLive(id(1), 0)?.remainingSeconds,
      100,
    );
  });

  it("on their way make a renewal wait, and none follows the renewal into the log", () => {
    const lessor = granted(leader(), 100);
    assert.equal(lessor.dueCheckpoints(50_000, 10).checkpoints.length, 1);
    assert.deepEqual(lessor.renew(id(1), 50_001), { kind: "renewed", ttlSeconds: 100, clearFirst: true });
    assert.deepEqual(lessor.dueCheckpoints(149_000, 10).checkpoints, [], "the renewal is not in the log yet");
    lessor.checkpoint([{ id: id(1), remainingTtlSeconds: 50 }]);
    lessor.checkpoint([{ id: id(1), remainingTtlSeconds: 0 }]);
    assert.equal(lessor.renew(id(1), 149_500).kind, "renewed");
    assert.equal(lessor.dueCheckpoints(200_000, 10).checkpoints.length, 1);
  });

  it("pass over leases that are gone", () => {
    const lessor = granted(leader(), 100);
    assert.deepEqual(lessor.checkpoint([{ id: id(9), remainingTtlSeconds: 5 }]), []);
    lessor.revoke(id(1));
    assert.deepEqual(lessor.dueCheckpoints(50_000, 10).checkpoints, []);
  });

  it("are made of all leases before a leader stops", () => {
    const lessor = granted(leader(), 5, 100, 100);
    lessor.renew(id(3), 4000);
    const batches = [...lessor.finalCheckpoints(4000, 1)].filter((batch) => batch.length > 0);
    assert.deepEqual(batches, [
      [{ id: id(1), remainingTtlSeconds: 1 }],
      [{ id: id(2), remainingTtlSeconds: 96 }],
    ]);
    lessor.demote();
    assert.deepEqual([...lessor.finalCheckpoints(4000, 10)].flat(), []);
  });
});

describe("many leases", () => {
  const count = 20_000;

  it("never make a call look at all of them", () => {
    const lessor = leader({ revokesPerSecond: 1e9 });
    for (let i = 1; i <= count; i++) lessor.grant({ id: id(i), ttlSeconds: 60 }, i);
    for (let i = 1; i <= count; i++) lessor.renew(id(i), 30_000);
    // All entries have an old time; one call corrects only so many, and says so.
    const calls: number[] = [];
    for (let more = true; more; ) {
      const result = lessor.expired(85_000, 1000);
      more = result.more;
      calls.push(result.leases.length);
    }
    assert.ok(calls.length > 3 && calls.every((leases) => leases === 0), String(calls));
    assert.equal(lessor.expired(90_000, 1000).leases.length, 1000);
    let checkpoints = 0;
    for (let more = true; more; ) {
      const due = lessor.dueCheckpoints(60_000, 1000);
      assert.ok(due.checkpoints.length <= 1000);
      checkpoints += due.checkpoints.length;
      more = due.more;
    }
    assert.equal(checkpoints, count);
  });

  it("are listed by their end, in steps", () => {
    const lessor = leader();
    for (let i = 1; i <= count; i++) lessor.grant({ id: id(i), ttlSeconds: 100 + ((i * 7919) % count) }, 0);
    const steps = lessor.list();
    let stepsTaken = 0;
    let next = steps.next();
    for (; !next.done; next = steps.next()) stepsTaken++;
    assert.ok(stepsTaken >= count / 2048);
    const ends = next.value.map((lease) => lessor.timeToLive(lease, 0)!.remainingSeconds!);
    assert.equal(ends.length, count);
    assert.ok(ends.every((end, i) => i === 0 || end >= ends[i - 1]!));
    lessor.demote();
    assert.equal(finish(lessor.list()).length, count);
    assert.deepEqual(finish(leader().list()), []);
  });
});
