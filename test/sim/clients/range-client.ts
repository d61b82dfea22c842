/** A client that writes several keys at once, reads ranges, and now and then has old revisions compacted. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CompactionRequestSchema,
  DeleteRangeRequestSchema,
  PutRequestSchema,
  RangeRequestSchema,
  RangeResponseSchema,
  type RequestOp,
  RequestOpSchema,
  TxnRequestSchema,
  TxnResponseSchema,
} from "../../../src/gen/etcdserverpb/rpc_pb.ts";
import { anyMember, bytesOf, runClient, type Workload } from "./workload.ts";

const keys = Array.from({ length: 12 }, (_, i) => `s/${String.fromCharCode(97 + i)}`);
/** How many revisions are kept. */
const revisionsKept = 30;

export class RangeClient {
  readonly #workload: Workload;
  readonly #number: number;
  readonly #compacts: boolean;
  #values = 0;

  constructor(workload: Workload, number: number, options: { readonly compacts: boolean }) {
    this.#workload = workload;
    this.#number = number;
    this.#compacts = options.compacts;
  }

  start(): void {
    runClient(this.#workload, () => this.#step());
  }

  async #step(): Promise<void> {
    const { random } = this.#workload;
    const dice = random.below(100);
    if (dice < 45) await this.#write();
    else if (dice < 95 || !this.#compacts) await this.#read(random.chance(0.4));
    else await this.#compact();
  }

  async #write(): Promise<void> {
    const { network, answers, random, counts } = this.#workload;
    const chosen = [...new Set(Array.from({ length: 1 + random.below(4) }, () => random.pick(keys)))];
    const changes = chosen.map((key) =>
      random.chance(0.85)
        ? { key, value: `${this.#number}:${++this.#values}${"x".repeat(random.below(60))}` }
        : { key },
    );
    const request = create(TxnRequestSchema, { success: changes.map(operation) });
    const member = anyMember(this.#workload);
    const { floor } = answers;
    const result = await network.call(member, "/etcdserverpb.KV/Txn", toBinary(TxnRequestSchema, request));
    if (result.kind !== "answer") {
      counts[result.kind === "unknown" ? "unknown" : "failed"]++;
      return;
    }
    const { header, responses } = fromBinary(TxnResponseSchema, result.bytes);
    const what = `transaction of client ${this.#number} through ${member.name}`;
    const revision = Number(header!.revision);
    answers.ended(what, revision, floor);
    const effective = changes.filter((change, i) => {
      const { response } = responses[i]!;
      return "value" in change || (response.case === "responseDeleteRange" && response.value.deleted > 0n);
    });
    answers.acknowledged(what, revision, effective);
    counts.answered++;
  }

  async #read(serializable: boolean): Promise<void> {
    const { network, answers, random, counts } = this.#workload;
    const [from, to] = [random.pick(keys), "s/z"];
    const request = create(RangeRequestSchema, { key: bytesOf(from), rangeEnd: bytesOf(to), serializable });
    const member = anyMember(this.#workload);
    const { floor } = answers;
    const result = await network.call(
      member,
      "/etcdserverpb.KV/Range",
      toBinary(RangeRequestSchema, request),
    );
    if (result.kind !== "answer") {
      counts.failed++;
      return;
    }
    const { header, kvs } = fromBinary(RangeResponseSchema, result.bytes);
    const revision = Number(header!.revision);
    const what = `${serializable ? "serializable " : ""}range of client ${this.#number} through ${member.name}`;
    if (!serializable) answers.ended(what, revision, floor);
    answers.readRange(what, from, to, revision, kvs);
    counts.answered++;
  }

  async #compact(): Promise<void> {
    const { network, truth } = this.#workload;
    const revision = BigInt(truth.revision - revisionsKept);
    if (revision <= 0n) return;
    const request = toBinary(CompactionRequestSchema, create(CompactionRequestSchema, { revision }));
    await network.call(anyMember(this.#workload), "/etcdserverpb.KV/Compact", request);
  }
}

function operation(change: { readonly key: string; readonly value?: string }): RequestOp {
  const key = bytesOf(change.key);
  if (change.value === undefined) {
    const value = create(DeleteRangeRequestSchema, { key });
    return create(RequestOpSchema, { request: { case: "requestDeleteRange", value } });
  }
  const value = create(PutRequestSchema, { key, value: bytesOf(change.value) });
  return create(RequestOpSchema, { request: { case: "requestPut", value } });
}
