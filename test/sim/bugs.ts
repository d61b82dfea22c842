/** The bugs that are put in on purpose, one at a time, to see that each is found. */
import { raftField } from "../../src/codec/raft-internal.ts";
import { type LeaseId, noMember, type RaftIndex, type Revision } from "../../src/lib/ids.ts";
import { type Entry, EntryType } from "../../src/lib/raft-entry.ts";
import { type Message, MessageType } from "../../src/lib/raft-message.ts";
import type { Steps } from "../../src/lib/steps.ts";
import type { ChangeSlice } from "../../src/mvcc/types.ts";
import { RawNode } from "../../src/raft/raw-node.ts";
import type { Ready } from "../../src/raft/ready.ts";
import type { EtcdServer } from "../../src/server/etcd-server.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** Votes for everybody who asks, as often as they ask. */
class VotesTwice extends RawNode {
  override step(message: Message): void {
    if (message.type === MessageType.vote && message.term === this.raft.term && this.role === "follower") {
      this.raft.vote = noMember;
      this.raft.leader = noMember;
    }
    super.step(message);
  }
}

/** Answers reads without asking anybody whether it still leads. */
class SkipsReadIndex extends RawNode {
  override readIndex(context: Uint8Array) {
    if (this.role !== "leader") return super.readIndex(context);
    this.raft.readStates.push({ index: this.commitIndex, context });
    return undefined;
  }
}

/** Answers reads on followers from whatever they have. */
class ReadsOwnState extends RawNode {
  override readIndex(context: Uint8Array) {
    this.raft.readStates.push({ index: this.appliedIndex, context });
    return undefined;
  }
}

/** Hands one entry in fifty to the state machine twice. */
class AppliesTwice extends RawNode {
  override ready(): Ready {
    const ready = super.ready();
    const committedEntries = ready.committedEntries.flatMap((entry) =>
      entry.type === EntryType.normal && entry.index % 50 === 49 ? [entry, { ...entry }] : [entry],
    );
    return { ...ready, committedEntries };
  }
}

/** Forgets what is in one entry in fifty. */
class LosesAnEntry extends RawNode {
  override ready(): Ready {
    const ready = super.ready();
    const emptied = (entry: Entry): Entry => ({ ...entry, data: new Uint8Array(0), decoded: undefined });
    const committedEntries = ready.committedEntries.map((entry) =>
      entry.type === EntryType.normal && entry.index % 50 === 49 ? emptied(entry) : entry,
    );
    return { ...ready, committedEntries };
  }
}

/** Takes all that it has for committed as soon as it hears of a leader. */
class BelievesItsLog extends RawNode {
  override step(message: Message): void {
    if (message.type === MessageType.heartbeat) super.step({ ...message, commit: this.lastIndex });
    else super.step(message);
  }
}

/** Says that everything is on disk when it is not even on its way. */
const answersBeforeSync: PlantedBug = {
  name: "answer before sync",
  found: /safety|durable|linearizable|corrupted or lost|liveness/,
  firstSeed: 230,
  faults: ["power loss"],
  wrapWal: (wal) => ({
    get sizeBytes() {
      return wal.sizeBytes;
    },
    save(batch, done) {
      wal.save(batch, (error) => {
        if (error) done(error);
      });
      queueMicrotask(() => done());
    },
    release: (index, keep) => wal.release(index, keep),
    close: () => wal.close(),
  }),
};

/** Ends leases five seconds before their time. */
const endsLeasesEarly: PlantedBug = {
  name: "lease early",
  found: /leases never end early/,
  faults: [],
  onServer: ({ lessor }) => {
    const { expired, isExpired } = lessor;
    lessor.expired = (nowMs, limit) => expired.call(lessor, nowMs + 5_000, limit);
    lessor.isExpired = (id, nowMs) => isExpired.call(lessor, id, nowMs + 5_000);
  },
};

/** A new leader does not give leases any more time than the log says, nor what a renewal gave them. */
const forgetsRenewals: PlantedBug = {
  name: "new leader forgets renewals",
  found: /leases never end early/,
  faults: ["transfer", "kill"],
  onServer: ({ lessor }) => {
    const { promote } = lessor;
    lessor.promote = (nowMs) => promote.call(lessor, nowMs - 6_000, 0);
  },
};

/** Leaves out one change in forty when it tells watchers. */
const skipsEvents: PlantedBug = {
  name: "watch gap",
  found: /watches are/,
  faults: [],
  onServer: (server) => {
    const { store } = server;
    const { changes } = store;
    store.changes = function* (after: Revision, rows: number, bytes: number): Steps<ChangeSlice> {
      const slice = yield* changes.call(store, after, rows, bytes);
      return { ...slice, versions: slice.versions.filter(({ modRevision }) => modRevision % 40 !== 39) };
    };
  },
};

/** Watchers do not hear that another store has taken the place of the first. */
const keepsWatchingOldStore: PlantedBug = {
  name: "watchers of a replaced store",
  found: /watcher \d+ to get everything|watches are/,
  firstSeed: 200,
  faults: ["partition", "kill"],
  onServer: ({ watchHub }) => {
    watchHub.restore = () => {};
  },
};

/** Followers put the end of a lease through the log themselves, by their own clock. */
const followersEndLeases: PlantedBug = {
  name: "stale leader ends leases",
  found: /leases never end early/,
  faults: ["transfer", "freeze"],
  onServer: (server: EtcdServer) => {
    const { lessor, leases } = server;
    leases.demote = () => {};
    const { expired } = lessor;
    lessor.expired = (nowMs, limit) => {
      const found = expired.call(lessor, nowMs, limit);
      for (const id of found.leases) {
        server.propose({ field: raftField.leaseRevoke, bytes: leaseBytes(id), request: id }, () => {});
      }
      return { ...found, leases: [] };
    };
  },
};

function leaseBytes(id: LeaseId): Uint8Array {
  const bytes = [0x08];
  for (let rest = BigInt.asUintN(64, id); ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    if (rest < 0x80n) return Uint8Array.from([...bytes, low]);
    bytes.push(low | 0x80);
  }
}

/** Answers proposals when they are made, not when they are applied. */
class AppliesBeforeCommit extends RawNode {
  override ready(): Ready {
    const { log } = this.raft;
    if (this.role === "leader" && log.stable > log.committed && log.matches(log.stable, this.raft.term)) {
      log.commitTo(log.stable as RaftIndex);
    }
    return super.ready();
  }
}

export const bugs: readonly PlantedBug[] = [
  {
    name: "vote twice",
    found: /election safety|state machine safety/,
    firstSeed: 7,
    faults: ["partition", "kill", "one way"],
    nodeClass: VotesTwice,
  },
  answersBeforeSync,
  {
    name: "skip read index",
    found: /linearizable|leases:/,
    firstSeed: 10,
    faults: ["isolate leader", "partition"],
    nodeClass: SkipsReadIndex,
  },
  {
    name: "read own state",
    found: /linearizable/,
    faults: ["partition", "slow disk"],
    nodeClass: ReadsOwnState,
  },
  { name: "apply twice", found: /revision/, faults: [], nodeClass: AppliesTwice },
  { name: "lose an entry", found: /revision/, faults: [], nodeClass: LosesAnEntry },
  {
    name: "commit without a quorum",
    found: /state machine safety|durable|linearizable/,
    firstSeed: 6,
    faults: ["isolate leader", "partition"],
    nodeClass: AppliesBeforeCommit,
  },
  {
    name: "believe in one's own log",
    found: /state machine safety|corrupted or lost|conflicts/,
    faults: ["isolate leader", "partition", "kill"],
    nodeClass: BelievesItsLog,
  },
  endsLeasesEarly,
  forgetsRenewals,
  followersEndLeases,
  skipsEvents,
  keepsWatchingOldStore,
];
