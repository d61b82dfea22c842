import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { errors } from "../../errors/table.ts";
import type { MemberId, Revision } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import { finish, type Steps } from "../../lib/steps.ts";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import type { RevisionHash } from "../../mvcc/types.ts";
import type { PeerHash } from "../peers.ts";
import type { CheckParts } from "./check-parts.ts";
import { CompactHashCheck } from "./compact-hash-check.ts";
import { type CompactionHash, CompactionHashes } from "./compaction-hashes.ts";
import { initialCheck } from "./initial-check.ts";
import type { PeerAnswer } from "./peer-hashes.ts";
import { periodicCheck } from "./periodic-check.ts";

const localId = 1n as MemberId;
const hashOf = (hash: number, revision = 10, compactRevision = 5): RevisionHash => ({
  hash,
  hashRevision: revision as Revision,
  compactRevision: compactRevision as Revision,
  revision: revision as Revision,
});

function memberOf(id: number) {
  const peerUrls = [`http://m${id}:2380`];
  return { id: BigInt(id) as MemberId, name: `m${id}`, peerUrls, clientUrls: [], isLearner: false };
}

const answered = (id: number, hash: PeerHash): PeerAnswer => ({
  member: memberOf(id),
  hash,
  error: undefined,
});
const failed = (id: number, error: Error): PeerAnswer => ({ member: memberOf(id), hash: undefined, error });

/** What the checks see: this member's hashes, and the others' answers. */
const world = {
  now: [] as RevisionHash[],
  compactions: [] as CompactionHash[],
  answers: [] as PeerAnswer[],
  asked: [] as number[],
  alarms: [] as bigint[],
};

const parts: CheckParts = {
  localId,
  logger: silentLogger as Logger,
  timeoutMs: 7_000,
  hashNow: async () => (world.now.length > 1 ? world.now.shift()! : world.now[0]!),
  compactionHashes: () => world.compactions,
  askPeers: async (revision) => {
    world.asked.push(revision);
    return world.answers;
  },
  linearize: async () => {},
  raiseAlarm: (id) => world.alarms.push(id),
};

beforeEach(() => {
  world.now = [hashOf(1)];
  world.compactions = [];
  world.answers = [];
  world.asked = [];
  world.alarms = [];
});

describe("the check before a start", () => {
  it("passes when all others have the same data, or cannot be compared with", async () => {
    world.answers = [
      answered(2, hashOf(1)),
      answered(3, hashOf(2, 10, 4)),
      failed(4, errors.futureRev()),
      failed(5, errors.compacted()),
      failed(6, new Error("dial tcp: connect: connection refused")),
    ];
    await initialCheck(parts);
    assert.deepEqual(world.asked, [10]);
    assert.deepEqual(world.alarms, []);
  });

  it("fails when one has other data at the same revisions", async () => {
    world.answers = [answered(2, hashOf(1)), answered(3, hashOf(2))];
    await assert.rejects(initialCheck(parts), { message: "1 found data inconsistency with peers" });
  });

  it("fails when this member's own data cannot be read", async () => {
    const broken = { ...parts, hashNow: () => Promise.reject(new Error("store.db: checksum")) };
    await assert.rejects(initialCheck(broken), { message: "1 failed to fetch hash (store.db: checksum)" });
  });
});

describe("the periodic check", () => {
  it("raises nothing when all agree", async () => {
    world.answers = [
      answered(2, hashOf(1)),
      answered(3, { ...hashOf(7), compactRevision: 4 }),
      failed(4, errors.compacted()),
    ];
    await periodicCheck(parts);
    assert.deepEqual(world.alarms, []);
  });

  it("names a follower whose hash differs, once", async () => {
    world.answers = [answered(2, hashOf(1)), answered(3, hashOf(2)), answered(4, hashOf(3))];
    await periodicCheck(parts);
    assert.deepEqual(world.alarms, [3n]);
  });

  it("names a follower that is ahead of what was committed", async () => {
    world.answers = [answered(2, { ...hashOf(1), revision: 11 })];
    await periodicCheck(parts);
    assert.deepEqual(world.alarms, [2n]);
  });

  it("names a follower that has compacted more than the leader", async () => {
    world.answers = [answered(2, { ...hashOf(9), compactRevision: 6 })];
    await periodicCheck(parts);
    assert.deepEqual(world.alarms, [2n]);
  });

  it("lets a follower go on while the leader was hashing", async () => {
    world.now = [hashOf(1), hashOf(5, 12, 8)];
    world.answers = [
      answered(2, { ...hashOf(1), revision: 12 }),
      answered(3, { ...hashOf(4), compactRevision: 8 }),
    ];
    await periodicCheck(parts);
    assert.deepEqual(world.alarms, []);
  });

  it("names itself when its own data changes without a revision", async () => {
    world.now = [hashOf(1), hashOf(2)];
    await periodicCheck(parts);
    assert.deepEqual(world.alarms, [1n]);
  });
});

describe("the check of compactions", () => {
  const of = (hash: number, revision = 10) => answered(2, hashOf(hash, revision));

  it("looks at the newest, and never again at what was agreed on", async () => {
    const check = new CompactHashCheck(parts);
    world.compactions = [hashOf(1, 20), hashOf(1, 10)];
    world.answers = [of(1)];
    await check.run();
    await check.run();
    assert.deepEqual(world.asked, [20]);
    world.compactions = [hashOf(1, 30), ...world.compactions];
    await check.run();
    assert.deepEqual(world.asked, [20, 30]);
    assert.deepEqual(world.alarms, []);
  });

  it("goes back to one that all have", async () => {
    const check = new CompactHashCheck(parts);
    world.compactions = [hashOf(1, 20), hashOf(1, 10)];
    world.answers = [of(1), failed(3, errors.timeout())];
    await check.run();
    assert.deepEqual(world.asked, [20, 10]);
    assert.deepEqual(world.alarms, []);
  });

  it("names those that differ from a majority, be it the leader", async () => {
    const check = new CompactHashCheck(parts);
    world.compactions = [hashOf(1)];
    world.answers = [
      answered(2, hashOf(1)),
      answered(3, hashOf(1)),
      answered(4, hashOf(2)),
      answered(5, hashOf(3)),
    ];
    await check.run();
    assert.deepEqual(world.alarms, [4n, 5n]);
    world.alarms = [];
    world.answers = [answered(2, hashOf(2)), answered(3, hashOf(2))];
    await check.run();
    assert.deepEqual(world.alarms, [1n]);
  });

  it("names nobody without a majority", async () => {
    const check = new CompactHashCheck(parts);
    world.compactions = [hashOf(1)];
    world.answers = [answered(2, hashOf(2))];
    await check.run();
    assert.deepEqual(world.alarms, [0n]);
    world.alarms = [];
    // Of four, two that could not be asked: one against one is no majority.
    world.answers = [answered(2, hashOf(2)), failed(3, errors.timeout()), failed(4, errors.timeout())];
    await check.run();
    assert.deepEqual(world.alarms, [0n]);
  });

  it("does not compare what was hashed since another compaction", async () => {
    const check = new CompactHashCheck(parts);
    world.compactions = [hashOf(1)];
    world.answers = [answered(2, hashOf(2, 10, 4))];
    await check.run();
    assert.deepEqual(world.alarms, []);
  });
});

describe("the hashes of compactions", () => {
  const make = () => {
    const made: [number, number][] = [];
    const hashes = new CompactionHashes({
      logger: silentLogger as Logger,
      *hash(revision, previous): Steps<RevisionHash> {
        yield undefined;
        made.push([revision, previous]);
        return hashOf(revision * 7, revision, previous);
      },
      run: async (steps) => finish(steps),
    });
    return { hashes, made };
  };
  const rev = (revision: number) => revision as Revision;

  it("are made for each compaction since the one before, also for several at once", async () => {
    const { hashes, made } = make();
    hashes.scheduled(rev(5), rev(-1));
    hashes.scheduled(rev(9), rev(5));
    hashes.scheduled(rev(20), rev(9));
    await hashes.make(rev(9), { aborted: false });
    assert.deepEqual(made, [
      [5, -1],
      [9, 5],
    ]);
    assert.deepEqual(hashes.at(9), { hash: 63, hashRevision: 9, compactRevision: 5 });
    assert.equal(hashes.at(20), undefined);
    await hashes.make(rev(20), { aborted: false });
    assert.deepEqual(
      hashes.newestFirst().map(({ hashRevision }) => hashRevision),
      [20, 9, 5],
    );
  });

  it("are ten at most", async () => {
    const { hashes } = make();
    for (let revision = 1; revision <= 25; revision++) {
      hashes.scheduled(rev(revision), rev(revision - 1));
      if (revision % 3 === 0) await hashes.make(rev(revision), { aborted: false });
    }
    assert.deepEqual(
      hashes.newestFirst().map(({ hashRevision }) => hashRevision),
      [24, 23, 22, 21, 20, 19, 18, 17, 16, 15],
    );
  });

  it("are given up when the server stops", async () => {
    const { hashes, made } = make();
    hashes.scheduled(rev(5), rev(-1));
    await hashes.make(rev(5), { aborted: true });
    assert.deepEqual(made, []);
    assert.equal(hashes.at(5), undefined);
  });
});
