/**
 * A client that puts, gets, deletes and exchanges single keys. Keys are few at a time, so that clients meet, and are given
 * up after a while, so that the history of each stays short enough to be checked.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  Compare_CompareResult,
  Compare_CompareTarget,
  CompareSchema,
  DeleteRangeRequestSchema,
  DeleteRangeResponseSchema,
  PutRequestSchema,
  PutResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
  RequestOpSchema,
  TxnRequestSchema,
  TxnResponseSchema,
} from "../../../src/gen/etcdserverpb/rpc_pb.ts";
import { toBinaryKey } from "../../../src/lib/binary-key.ts";
import type { RegisterCall, RegisterOp } from "../../support/linearizability/history.ts";
import type { SimMember } from "../world/sim-member.ts";
import type { CallResult } from "./client-network.ts";
import { anyMember, bytesOf, runClient, type Workload } from "./workload.ts";

/** Calls after which a key is given up. */
const callsPerKey = 60;

/** The keys in use, common to all clients. */
export class KeyPool {
  readonly #keys: string[];
  #made = 0;

  constructor(size: number) {
    this.#keys = Array.from({ length: size }, () => this.#fresh());
  }

  pick(workload: Workload): string {
    const at = workload.random.below(this.#keys.length);
    if (workload.history.countOf(this.#keys[at]!) >= callsPerKey) this.#keys[at] = this.#fresh();
    return this.#keys[at]!;
  }

  #fresh(): string {
    return `r/${this.#made++}`;
  }
}

export class RegisterClient {
  readonly #workload: Workload;
  readonly #pool: KeyPool;
  readonly #number: number;
  /** The values that this client saw last, for exchanges that may succeed. */
  readonly #seen = new Map<string, string | undefined>();
  #values = 0;
  /** A client stays with a member for a while. */
  #member: SimMember;

  constructor(workload: Workload, pool: KeyPool, number: number) {
    this.#workload = workload;
    this.#pool = pool;
    this.#number = number;
    this.#member = anyMember(workload);
  }

  start(): void {
    runClient(this.#workload, () => this.#step());
  }

  /** Reads every key there was, so that nothing that was acknowledged can have got lost unseen. */
  async readAll(): Promise<void> {
    for (const key of this.#workload.history.keys) {
      while (!(await this.#call(key, { kind: "get" }))) this.#member = anyMember(this.#workload);
    }
  }

  async #step(): Promise<void> {
    const { random } = this.#workload;
    if (random.chance(0.1)) this.#member = anyMember(this.#workload);
    const key = this.#pool.pick(this.#workload);
    const answered = await this.#call(key, this.#choose(key));
    if (!answered) this.#member = anyMember(this.#workload);
  }

  #choose(key: string): RegisterOp {
    const dice = this.#workload.random.below(100);
    const value = `${this.#number}.${++this.#values}`;
    if (dice < 35) return { kind: "get" };
    if (dice < 70) return { kind: "put", value };
    if (dice < 78) return { kind: "delete" };
    return { kind: "cas", expected: this.#seen.get(key), value };
  }

  /** False when the member did not answer. */
  async #call(key: string, op: RegisterOp): Promise<boolean> {
    const { history, cluster, network, answers, counts } = this.#workload;
    const call = history.begin(key, this.#number, op, cluster.events.nowMs);
    const { floor } = answers;
    const { path, request } = requestOf(key, op);
    const result = await network.call(this.#member, path, request);
    if (result.kind === "answer") {
      call.endMs = cluster.events.nowMs;
      this.#answered(key, call, result.bytes, floor);
      counts.answered++;
      return true;
    }
    // Of a read nothing can be left; and whoever was refused the connection did nothing.
    if (op.kind === "get" || hadNoEffect(result)) history.forget(key, call);
    if (result.kind === "unknown") counts.unknown++;
    else counts.failed++;
    return false;
  }

  #answered(key: string, call: RegisterCall, bytes: Uint8Array, floor: number): void {
    const { answers } = this.#workload;
    const { op } = call;
    const what = `${op.kind} of ${key} by client ${this.#number} through ${this.#member.name}`;
    switch (op.kind) {
      case "get": {
        const { header, kvs } = fromBinary(RangeResponseSchema, bytes);
        const kv = kvs[0];
        const revision = Number(header!.revision);
        answers.ended(what, revision, floor);
        answers.read(what, key, revision, kv);
        const seen = kv && { value: toBinaryKey(kv.value), version: Number(kv.version) };
        this.#seen.set(key, seen?.value);
        call.result = { kind: "get", seen };
        return;
      }
      case "put": {
        const revision = Number(fromBinary(PutResponseSchema, bytes).header!.revision);
        answers.ended(what, revision, floor);
        answers.acknowledged(what, revision, [{ key, value: op.value }]);
        this.#seen.set(key, op.value);
        call.result = { kind: "put" };
        return;
      }
      case "delete": {
        const { header, deleted } = fromBinary(DeleteRangeResponseSchema, bytes);
        const revision = Number(header!.revision);
        answers.ended(what, revision, floor);
        if (deleted > 0n) answers.acknowledged(what, revision, [{ key }]);
        this.#seen.set(key, undefined);
        call.result = { kind: "delete", deleted: deleted > 0n };
        return;
      }
      case "cas": {
        const { header, succeeded } = fromBinary(TxnResponseSchema, bytes);
        const revision = Number(header!.revision);
        answers.ended(what, revision, floor);
        if (succeeded) answers.acknowledged(what, revision, [{ key, value: op.value }]);
        call.result = { kind: "cas", succeeded };
      }
    }
  }
}

/** Errors with which a member says that it has not done, and will not do, what it was asked. */
const certainErrors = [
  "etcdserver: too many requests",
  "etcdserver: rpc not supported for learner",
  "etcdserver: requested lease not found",
];

export function hadNoEffect(result: CallResult): boolean {
  if (result.kind === "refused") return true;
  return result.kind === "error" && certainErrors.includes(result.error.message);
}

function requestOf(key: string, op: RegisterOp): { path: string; request: Uint8Array } {
  const name = bytesOf(key);
  switch (op.kind) {
    case "get":
      return {
        path: "/etcdserverpb.KV/Range",
        request: toBinary(RangeRequestSchema, create(RangeRequestSchema, { key: name })),
      };
    case "put":
      return {
        path: "/etcdserverpb.KV/Put",
        request: toBinary(
          PutRequestSchema,
          create(PutRequestSchema, { key: name, value: bytesOf(op.value) }),
        ),
      };
    case "delete":
      return {
        path: "/etcdserverpb.KV/DeleteRange",
        request: toBinary(DeleteRangeRequestSchema, create(DeleteRangeRequestSchema, { key: name })),
      };
    case "cas":
      return { path: "/etcdserverpb.KV/Txn", request: exchange(name, op.expected, op.value) };
  }
}

function exchange(key: Uint8Array, expected: string | undefined, value: string): Uint8Array {
  const compare = create(
    CompareSchema,
    expected === undefined
      ? {
          key,
          result: Compare_CompareResult.EQUAL,
          target: Compare_CompareTarget.VERSION,
          targetUnion: { case: "version", value: 0n },
        }
      : {
          key,
          result: Compare_CompareResult.EQUAL,
          target: Compare_CompareTarget.VALUE,
          targetUnion: { case: "value", value: bytesOf(expected) },
        },
  );
  const put = create(RequestOpSchema, {
    request: { case: "requestPut", value: create(PutRequestSchema, { key, value: bytesOf(value) }) },
  });
  return toBinary(TxnRequestSchema, create(TxnRequestSchema, { compare: [compare], success: [put] }));
}
