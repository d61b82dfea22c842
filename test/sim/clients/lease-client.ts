/** A client that is granted leases, hangs keys on them, keeps some alive, has some revoked, and leaves others to their fate. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  LeaseGrantRequestSchema,
  LeaseGrantResponseSchema,
  LeaseKeepAliveRequestSchema,
  LeaseKeepAliveResponseSchema,
  LeaseRevokeRequestSchema,
  LeaseTimeToLiveRequestSchema,
  LeaseTimeToLiveResponseSchema,
  PutRequestSchema,
} from "../../../src/gen/etcdserverpb/rpc_pb.ts";
import type { LeaseId } from "../../../src/lib/ids.ts";
import { Violation } from "../check/violation.ts";
import { anyMember, bytesOf, runClient, type Workload } from "./workload.ts";

const leasesMax = 6;

export class LeaseClient {
  readonly #workload: Workload;
  readonly #number: number;
  #leases: LeaseId[] = [];
  #granted = 0;

  constructor(workload: Workload, number: number) {
    this.#workload = workload;
    this.#number = number;
  }

  start(): void {
    runClient(this.#workload, () => this.#step());
  }

  async #step(): Promise<void> {
    const { random, leases } = this.#workload;
    leases.look();
    const dice = random.below(100);
    const lease = this.#leases.length > 0 ? random.pick(this.#leases) : undefined;
    if (lease === undefined || (dice < 15 && this.#leases.length < leasesMax)) await this.#grant();
    else if (dice < 75) await this.#keepAlive(lease);
    else if (dice < 88) await this.#attach(lease);
    else if (dice < 94) await this.#timeToLive(lease);
    else if (dice < 97) await this.#revoke(lease);
    else this.#forget(lease);
  }

  async #grant(): Promise<void> {
    const { network, random, leases, cluster } = this.#workload;
    const TTL = BigInt(2 + random.below(12));
    const startMs = cluster.events.nowMs;
    // A number of its own, so that a grant whose answer got lost cannot be taken for another one.
    const ID = BigInt(this.#number * 1_000_000 + ++this.#granted);
    const request = toBinary(LeaseGrantRequestSchema, create(LeaseGrantRequestSchema, { ID, TTL }));
    const result = await network.call(anyMember(this.#workload), "/etcdserverpb.Lease/LeaseGrant", request);
    if (result.kind !== "answer") return;
    const granted = fromBinary(LeaseGrantResponseSchema, result.bytes);
    leases.granted(ID as LeaseId, Number(granted.TTL), startMs);
    this.#leases.push(ID as LeaseId);
  }

  async #keepAlive(id: LeaseId): Promise<void> {
    const { leases, cluster } = this.#workload;
    const startMs = cluster.events.nowMs;
    const ttl = await this.#renew(id);
    if (ttl === undefined) return;
    leases.renewed(id, ttl, startMs);
    if (ttl === 0) this.#forget(id);
  }

  /** Undefined when there was no answer. */
  #renew(id: LeaseId): Promise<number | undefined> {
    const { network, cluster } = this.#workload;
    return new Promise((resolve) => {
      const stream = network.open(anyMember(this.#workload), "/etcdserverpb.Lease/LeaseKeepAlive", {
        onMessage: (bytes) => {
          resolve(Number(fromBinary(LeaseKeepAliveResponseSchema, bytes).TTL));
          stream.halfClose();
        },
        onEnd: () => resolve(undefined),
      });
      stream.send(toBinary(LeaseKeepAliveRequestSchema, create(LeaseKeepAliveRequestSchema, { ID: id })));
      cluster.events.after(3_000, () => {
        stream.close();
        resolve(undefined);
      });
    });
  }

  async #attach(lease: LeaseId): Promise<void> {
    const { network, answers, random } = this.#workload;
    const key = `l/${this.#number}/${random.below(4)}`;
    const value = String(random.below(1_000_000));
    const request = create(PutRequestSchema, { key: bytesOf(key), value: bytesOf(value), lease });
    const { floor } = answers;
    const result = await network.call(
      anyMember(this.#workload),
      "/etcdserverpb.KV/Put",
      toBinary(PutRequestSchema, request),
    );
    if (result.kind === "error" && result.error.message.includes("lease not found")) {
      this.#mustBeGone(lease);
    } else if (result.kind === "answer") {
      const revision = Number(fromBinary(LeaseGrantResponseSchema, result.bytes).header!.revision);
      answers.ended(`put with lease ${lease}`, revision, floor);
      answers.acknowledged(`put with lease ${lease}`, revision, [{ key, value }]);
    }
  }

  async #timeToLive(id: LeaseId): Promise<void> {
    const { network } = this.#workload;
    const request = create(LeaseTimeToLiveRequestSchema, { ID: id, keys: true });
    const bytes = toBinary(LeaseTimeToLiveRequestSchema, request);
    const result = await network.call(
      anyMember(this.#workload),
      "/etcdserverpb.Lease/LeaseTimeToLive",
      bytes,
    );
    if (result.kind !== "answer") return;
    if (fromBinary(LeaseTimeToLiveResponseSchema, result.bytes).TTL === -1n) this.#mustBeGone(id);
  }

  async #revoke(id: LeaseId): Promise<void> {
    const { network, leases } = this.#workload;
    leases.revokeAsked(id);
    this.#forget(id);
    const request = toBinary(LeaseRevokeRequestSchema, create(LeaseRevokeRequestSchema, { ID: id }));
    const result = await network.call(anyMember(this.#workload), "/etcdserverpb.Lease/LeaseRevoke", request);
    if (result.kind === "answer") this.#mustBeGone(id);
  }

  #mustBeGone(id: LeaseId): void {
    this.#forget(id);
    if (this.#workload.truth.leases.has(id)) {
      throw new Violation("leases", `lease ${id} is called gone and is not`);
    }
  }

  #forget(id: LeaseId): void {
    this.#leases = this.#leases.filter((other) => other !== id);
  }
}
