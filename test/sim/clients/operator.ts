/** Whoever runs the cluster: adds members, promotes learners, removes members, and starts those that were added. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type Member,
  MemberAddRequestSchema,
  MemberListRequestSchema,
  MemberListResponseSchema,
  MemberPromoteRequestSchema,
  MemberRemoveRequestSchema,
} from "../../../src/gen/etcdserverpb/rpc_pb.ts";
import { urlOf } from "../world/sim-cluster.ts";
import { anyMember, type Workload } from "./workload.ts";

const membersMax = 6;
const membersMin = 2;

export class Operator {
  readonly #workload: Workload;
  readonly #everyMs: number;
  #made = 0;
  #isCalm = false;
  /** The members, as far as the operator was told. */
  #members: readonly Member[] = [];
  changes = 0;

  constructor(workload: Workload, everyMs: number) {
    this.#workload = workload;
    this.#everyMs = everyMs;
  }

  start(): void {
    const { cluster, random, fail } = this.#workload;
    const again = () => {
      const pauseMs = this.#isCalm ? 300 : random.float() * 2 * this.#everyMs;
      cluster.events.after(pauseMs, () => {
        this.#step().then(again, fail);
      });
    };
    again();
  }

  /** No more changes: only what was begun is brought to an end. */
  beCalm(): void {
    this.#isCalm = true;
  }

  /** What keeps the cluster from being at rest. */
  get missing(): string | undefined {
    const { members } = this.#workload.cluster;
    if (this.#members.length === 0) return "the operator to be told who is a member";
    const left = this.#members.find(
      ({ peerURLs }) => !members.some(({ peerUrl }) => peerUrl === peerURLs[0]),
    );
    if (left) return `${left.peerURLs[0]} to be started`;
    const alien = members.find(
      ({ peerUrl, id, isGone }) => !isGone && id !== undefined && !this.isMember(peerUrl),
    );
    return alien && `${alien.name} to learn that it is no member`;
  }

  /** Whether there is a member at these URLs, as far as the operator was told. */
  isMember(peerUrl: string): boolean {
    return this.#members.some(({ peerURLs }) => peerURLs[0] === peerUrl);
  }

  async #step(): Promise<void> {
    await this.#list();
    if (this.#members.length === 0) return;
    this.#startAdded();
    const { random } = this.#workload;
    if (this.#isCalm) return;
    const learners = this.#members.filter(({ isLearner }) => isLearner);
    const dice = random.below(100);
    if (learners.length > 0 && dice < 50) await this.#promote(random.pick(learners));
    else if (dice < 75 && this.#members.length < membersMax && this.#isVersionKnown)
      await this.#add(random.chance(0.6));
    else if (this.#members.length > membersMin) await this.#remove(random.pick(this.#members));
  }

  /**
   * Nobody can join before the cluster has decided on its version, as with etcd. Too many voters that cannot join leave it
   * without a quorum to decide it with, so whoever adds members has to wait.
   */
  get #isVersionKnown(): boolean {
    return this.#workload.cluster.running.every(({ server }) => server?.cluster.version !== undefined);
  }

  async #list(): Promise<void> {
    const request = create(MemberListRequestSchema, {
      linearizable: !this.#isCalm || this.#workload.random.chance(0.5),
    });
    const bytes = await this.#call("MemberList", toBinary(MemberListRequestSchema, request));
    if (bytes) this.#members = fromBinary(MemberListResponseSchema, bytes).members;
  }

  async #add(isLearner: boolean): Promise<void> {
    const name = `j${++this.#made}`;
    const request = create(MemberAddRequestSchema, { peerURLs: [urlOf(name)], isLearner });
    const answer = await this.#call("MemberAdd", toBinary(MemberAddRequestSchema, request));
    if (answer) this.changes++;
  }

  async #promote({ ID }: Member): Promise<void> {
    const request = create(MemberPromoteRequestSchema, { ID });
    if (await this.#call("MemberPromote", toBinary(MemberPromoteRequestSchema, request))) this.changes++;
  }

  async #remove({ ID }: Member): Promise<void> {
    const request = create(MemberRemoveRequestSchema, { ID });
    if (await this.#call("MemberRemove", toBinary(MemberRemoveRequestSchema, request))) this.changes++;
  }

  /** Starts members that were added, and tries those again that did not find the cluster as they expected it. */
  #startAdded(): void {
    const { cluster } = this.#workload;
    const nameOf = (url: string) => /^http:\/\/(.*):2380$/.exec(url)![1]!;
    const initialCluster = new Map(
      this.#members.map(({ peerURLs }) => [nameOf(peerURLs[0]!), peerURLs] as const),
    );
    for (const [name, [url]] of initialCluster) {
      const known = cluster.members.find(({ peerUrl }) => peerUrl === url);
      const member = known ?? cluster.join(name, initialCluster);
      if (member.id !== undefined) continue;
      member.initialCluster = initialCluster;
      member.start();
    }
  }

  async #call(method: string, request: Uint8Array): Promise<Uint8Array | undefined> {
    const { network } = this.#workload;
    const path = `/etcdserverpb.Cluster/${method}`;
    const result = await network.call(anyMember(this.#workload), path, request);
    return result.kind === "answer" ? result.bytes : undefined;
  }
}
