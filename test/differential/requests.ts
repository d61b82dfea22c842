/** Random calls over few keys, leases and names, so that they meet; some of them are nonsense that must be refused. */
import { createHash } from "node:crypto";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import * as rpc from "../../src/gen/etcdserverpb/rpc_pb.ts";
import * as election from "../../src/gen/v3electionpb/v3election_pb.ts";
import * as lock from "../../src/gen/v3lockpb/v3lock_pb.ts";
import type { Random } from "../support/random.ts";

export interface Call {
  readonly path: string;
  readonly messages: readonly Uint8Array[];
  /** What is sent, to be read when the answers differ. */
  readonly text: string;
}

/** What the generator knows of both servers: what etcd answered. */
export interface Standing {
  revision: bigint;
  compacted: bigint;
  readonly leases: Set<bigint>;
}

type Init<T extends DescMessage> = MessageInitShape<T>;

/** Twelve with the one of the election: of more rows that are equal by what they are sorted by, etcd keeps no order. */
const names = ["a", "a\0", "aa", "b", "b/1", "c", "\0", "\xff", "\xff\xff", "zz"];
const none = new Uint8Array(0);
/** Never revoked: who campaigns with another one would wait. */
export const electionLease = 2n ** 40n;

export const bytes = (text: string): Uint8Array => Uint8Array.from(text, (unit) => unit.charCodeAt(0));

/** Also of a number that the enumeration does not have: such requests are sent too. */
export const numbered = <T extends number>(value: number): T => value as T;

export class RandomRequests {
  readonly #random: Random;
  /** Seconds of leases that are revoked at once, so that they do not expire on one side first. Empty if that may fail. */
  shortLeases: readonly bigint[] = [0n, -1n, 1n, -(2n ** 63n)];
  readonly standing: Standing = { revision: 1n, compacted: 0n, leases: new Set() };
  #nextLease = 1n;
  /** What has to come next. */
  readonly due: Call[] = [
    call("Lease/LeaseGrant", rpc.LeaseGrantRequestSchema, { ID: electionLease, TTL: 9000n }),
    // Once: who leads already and asks again is written anew by ours, and by etcd only with another value.
    call("/v3electionpb.Election/Campaign", election.CampaignRequestSchema, {
      name: bytes("e"),
      lease: electionLease,
      value: bytes("c"),
    }),
    call("/v3lockpb.Lock/Lock", lock.LockRequestSchema, { name: bytes("l"), lease: electionLease }),
  ];

  constructor(random: Random) {
    this.#random = random;
  }

  next(): Call {
    const due = this.due.shift();
    if (due !== undefined) return due;
    const dice = this.#random.below(1000);
    if (dice < 280) return call("KV/Put", rpc.PutRequestSchema, this.put());
    if (dice < 360) return call("KV/DeleteRange", rpc.DeleteRangeRequestSchema, this.deleteRange());
    if (dice < 560) return this.#txn();
    if (dice < 780) return call("KV/Range", rpc.RangeRequestSchema, this.range());
    if (dice < 820) return this.#rangeStream();
    if (dice < 835) return this.#compact();
    if (dice < 910) return this.#lease();
    if (dice < 960) return this.#maintenance();
    return this.#services();
  }

  key(): Uint8Array {
    return this.#random.chance(0.01) ? none : bytes(this.#random.pick(names));
  }

  /** One key, a proper range, an empty one, or one to the end. */
  rangeEnd(key: Uint8Array, single: number): Uint8Array {
    const random = this.#random;
    if (random.chance(single)) return none;
    if (random.chance(0.25)) return Uint8Array.of(0);
    if (random.chance(0.3) && key.length > 0 && key.at(-1)! < 0xff) {
      const prefixEnd = key.slice();
      prefixEnd[prefixEnd.length - 1]!++;
      return prefixEnd;
    }
    return this.key();
  }

  /** Mostly one that can be read. */
  revision(): bigint {
    const random = this.#random;
    const newest = Number(this.standing.revision);
    if (random.chance(0.15)) return BigInt(random.between(-2, newest + 3));
    if (random.chance(0.02)) return random.pick([-(2n ** 63n), 2n ** 63n - 1n]);
    return BigInt(random.between(Math.max(1, Number(this.standing.compacted) - 1), newest));
  }

  lease(): bigint {
    const known = [...this.standing.leases];
    if (known.length === 0 || this.#random.chance(0.1)) return this.#random.pick([99n, -1n, 2n ** 63n - 5n]);
    return this.#random.pick(known);
  }

  put(): Init<typeof rpc.PutRequestSchema> {
    const random = this.#random;
    const ignoreValue = random.chance(0.1);
    const ignoreLease = random.chance(0.1);
    return {
      key: this.key(),
      value:
        ignoreValue && random.chance(0.9)
          ? none
          : bytes(random.pick(["", "v", "w", "x".repeat(random.below(300))])),
      lease: (ignoreLease && random.chance(0.9)) || random.chance(0.6) ? 0n : this.lease(),
      prevKv: random.chance(0.3),
      ignoreValue,
      ignoreLease,
    };
  }

  deleteRange(): Init<typeof rpc.DeleteRangeRequestSchema> {
    const key = this.key();
    return { key, rangeEnd: this.rangeEnd(key, 0.7), prevKv: this.#random.chance(0.4) };
  }

  range(): Init<typeof rpc.RangeRequestSchema> {
    const random = this.#random;
    const key = this.key();
    const filter = () =>
      random.chance(0.12) ? BigInt(random.between(-1, Number(this.standing.revision) + 2)) : 0n;
    return {
      key,
      rangeEnd: this.rangeEnd(key, 0.15),
      limit: random.chance(0.5) ? 0n : random.chance(0.03) ? 2n ** 63n - 1n : BigInt(random.between(-1, 6)),
      revision: random.chance(0.5) ? 0n : this.revision(),
      sortOrder: numbered(this.#enumeration(3)),
      sortTarget: numbered(this.#enumeration(5)),
      serializable: random.chance(0.3),
      keysOnly: random.chance(0.2),
      countOnly: random.chance(0.15),
      minModRevision: filter(),
      maxModRevision: filter(),
      minCreateRevision: filter(),
      maxCreateRevision: filter(),
    };
  }

  /** Without an order, but by something else than the key, etcd loses rows between the pieces of a stream. */
  #rangeStream(): Call {
    const init = this.range();
    if (init.sortOrder === 0) init.sortTarget = 0;
    return call("KV/RangeStream", rpc.RangeRequestSchema, init);
  }

  #enumeration(bound: number): number {
    if (this.#random.chance(0.4)) return 0;
    return this.#random.chance(0.02) ? this.#random.pick([-1, bound, 99]) : this.#random.below(bound);
  }

  #txn(): Call {
    return call("KV/Txn", rpc.TxnRequestSchema, this.#txnInit(0));
  }

  #txnInit(depth: number): Init<typeof rpc.TxnRequestSchema> {
    const many = depth === 0 && this.#random.chance(0.01) ? 130 : 4;
    return {
      compare: this.#list(2, () => this.compare()),
      success: this.#list(many, () => this.#op(depth)),
      failure: this.#list(4, () => this.#op(depth)),
    };
  }

  #list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.#random.below(most + 1) }, make);
  }

  compare(): Init<typeof rpc.CompareSchema> {
    const random = this.#random;
    const key = this.key();
    const target = random.below(5);
    const odd = random.chance(0.03);
    return {
      key,
      rangeEnd: this.rangeEnd(key, 0.6),
      result: numbered(odd ? random.pick([-1, 4, 99]) : random.below(4)),
      target: numbered(odd && random.chance(0.5) ? random.pick([-1, 5, 99]) : target),
      targetUnion: this.#operand(random.chance(0.04) ? random.below(6) : target),
    };
  }

  #operand(target: number): NonNullable<Init<typeof rpc.CompareSchema>["targetUnion"]> {
    const random = this.#random;
    const revision = random.chance(0.3) ? 0n : this.revision();
    if (target === 0) return { case: "version", value: BigInt(random.below(4)) };
    if (target === 1) return { case: "createRevision", value: revision };
    if (target === 2) return { case: "modRevision", value: revision };
    if (target === 3) return { case: "value", value: bytes(random.pick(["", "v", "w", "x"])) };
    if (target === 4) return { case: "lease", value: random.chance(0.4) ? 0n : this.lease() };
    return { case: undefined };
  }

  #op(depth: number): Init<typeof rpc.RequestOpSchema> {
    const dice = this.#random.below(200);
    if (dice < 1) return { request: { case: undefined } };
    if (dice < 80) return { request: { case: "requestPut", value: this.put() } };
    if (dice < 120) {
      const value = this.deleteRange();
      // etcd does not see that this meets a put: it may end, or lose the key when this revision is compacted.
      if (value.rangeEnd?.length === 1 && value.rangeEnd[0] === 0) value.rangeEnd = bytes("b");
      return { request: { case: "requestDeleteRange", value } };
    }
    if (dice < 180 || depth === 3) return { request: { case: "requestRange", value: this.range() } };
    return { request: { case: "requestTxn", value: this.#txnInit(depth + 1) } };
  }

  #compact(): Call {
    const init = { revision: this.revision(), physical: this.#random.chance(0.8) };
    return call("KV/Compact", rpc.CompactionRequestSchema, init);
  }

  #lease(): Call {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 45) {
      const ID = random.chance(0.15) ? this.lease() : this.#nextLease++;
      const odd = random.pick([...this.shortLeases, 9_000_000_000n, 9_000_000_001n, 2n ** 63n - 1n]);
      const TTL = random.chance(0.15) ? odd : BigInt(random.between(3000, 9000));
      if (TTL < 2n && !this.standing.leases.has(ID))
        this.due.push(call("Lease/LeaseRevoke", rpc.LeaseRevokeRequestSchema, { ID }));
      return call("Lease/LeaseGrant", rpc.LeaseGrantRequestSchema, { ID, TTL });
    }
    if (dice < 60) return call("Lease/LeaseRevoke", rpc.LeaseRevokeRequestSchema, { ID: this.lease() });
    if (dice < 65) return call("Lease/LeaseLeases", rpc.LeaseLeasesRequestSchema, {});
    if (dice < 80) {
      const each = this.#list(3, () => ({ ID: random.chance(0.1) ? 0n : this.lease() }));
      return calls("Lease/LeaseKeepAlive", rpc.LeaseKeepAliveRequestSchema, each);
    }
    const init = { ID: random.chance(0.05) ? 0n : this.lease(), keys: random.chance(0.6) };
    return call("Lease/LeaseTimeToLive", rpc.LeaseTimeToLiveRequestSchema, init);
  }

  #maintenance(): Call {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 45)
      return call("Maintenance/HashKV", rpc.HashKVRequestSchema, { revision: this.#hashRevision() });
    if (dice < 55) return call("Maintenance/Status", rpc.StatusRequestSchema, {});
    if (dice < 58) return call("Maintenance/Defragment", rpc.DefragmentRequestSchema, {});
    if (dice < 66) return this.#alarm();
    if (dice < 72) {
      const version = random.pick([
        "",
        "3.6",
        "3.6.0",
        "3.5",
        "3.8",
        "4.0.0",
        "v3.6",
        "x",
        "3",
        "3.6.0-rc.1",
        "3.7.0",
      ]);
      return call("Maintenance/Downgrade", rpc.DowngradeRequestSchema, {
        action: numbered<rpc.DowngradeRequest_DowngradeAction>(random.pick([0, 0, 0, 2, 7])),
        version,
      });
    }
    if (dice < 76) return call("Maintenance/MoveLeader", rpc.MoveLeaderRequestSchema, { targetID: 77n });
    if (dice < 84)
      return call("Cluster/MemberList", rpc.MemberListRequestSchema, { linearizable: random.chance(0.5) });
    return this.#cluster();
  }

  #hashRevision(): bigint {
    const revision = this.revision();
    // Of a revision below zero etcd makes a hash of nothing.
    return this.#random.chance(0.3) || revision < 0n ? 0n : revision;
  }

  #alarm(): Call {
    const random = this.#random;
    return call("Maintenance/Alarm", rpc.AlarmRequestSchema, {
      action: numbered<rpc.AlarmRequest_AlarmAction>(random.pick([0, 0, 1, 2, 2, 2])),
      memberID: random.pick([0n, 0n, 5n]),
      alarm: numbered<rpc.AlarmType>(random.pick([0, 1, 1, 9])),
    });
  }

  /** Such changes of membership as are refused. */
  #cluster(): Call {
    const random = this.#random;
    const ID = random.pick([0n, 5n, 2n ** 63n]);
    const peerURLs = random.pick([[], ["http://127.0.0.1:10"], ["http://b:1", "http://a:2"]]);
    switch (random.below(4)) {
      case 0:
        return call("Cluster/MemberAdd", rpc.MemberAddRequestSchema, {
          peerURLs: random.pick([
            [],
            ["x"],
            ["http://127.0.0.1:9"],
            ["http://a"],
            ["unix://a:1", "ftp://b:1"],
            [""],
          ]),
          isLearner: random.chance(0.5),
        });
      case 1:
        return call("Cluster/MemberUpdate", rpc.MemberUpdateRequestSchema, { ID, peerURLs });
      case 2:
        return call("Cluster/MemberRemove", rpc.MemberRemoveRequestSchema, { ID });
      default:
        return call("Cluster/MemberPromote", rpc.MemberPromoteRequestSchema, { ID });
    }
  }

  #services(): Call {
    const random = this.#random;
    const name = bytes(random.pick(["", "l", "l/x", "e"]));
    const key = bytes(random.pick(["", "nothing", "e/10000000000", "l/10000000000", "a"]));
    const leader = { name, key, rev: this.revision(), lease: random.pick([electionLease, this.lease()]) };
    switch (random.below(4)) {
      case 0:
        return call("/v3lockpb.Lock/Unlock", lock.UnlockRequestSchema, { key });
      case 1:
        return call("/v3electionpb.Election/Leader", election.LeaderRequestSchema, { name });
      case 2:
        return call(
          "/v3electionpb.Election/Resign",
          election.ResignRequestSchema,
          random.chance(0.2) ? {} : { leader },
        );
      default:
        return call("/v3electionpb.Election/Proclaim", election.ProclaimRequestSchema, {
          ...(random.chance(0.2) ? {} : { leader }),
          value: bytes("p"),
        });
    }
  }
}

export function calls<T extends DescMessage>(method: string, schema: T, inits: readonly Init<T>[]): Call {
  const path = method.startsWith("/") ? method : `/etcdserverpb.${method}`;
  const messages = inits.map((init) => toBinary(schema, create(schema, init)));
  return { path, messages, text: `${path} ${inits.map(textOf).join(" ")}` };
}

export function call<T extends DescMessage>(method: string, schema: T, init: Init<T>): Call {
  return calls(method, schema, [init]);
}

export function textOf(value: unknown): string {
  return JSON.stringify(value, (name, inner) => {
    if (name === "$typeName") return undefined;
    if (typeof inner === "bigint") return inner.toString();
    if (inner instanceof Uint8Array) return bytesText(inner);
    return inner;
  });
}

function bytesText(value: Uint8Array): string {
  if (value.length > 1000)
    return `${value.length} bytes, ${createHash("sha256").update(value).digest("hex")}`;
  return Buffer.from(value).toString("latin1");
}
