/**
 * Watches the members from inside: who leads which term, what each applies, and what its store has then. Two members
 * that have applied the same entries have to hold the same.
 */
import { createHash } from "node:crypto";
import { toBinaryKey } from "../../../src/lib/binary-key.ts";
import type { MemberId, Revision, Term } from "../../../src/lib/ids.ts";
import type { Entry } from "../../../src/lib/raft-entry.ts";
import { finish } from "../../../src/lib/steps.ts";
import { compareIds } from "../../../src/membership/member.ts";
import type { RawNode } from "../../../src/raft/raw-node.ts";
import type { Ready } from "../../../src/raft/ready.ts";
import type { EtcdServer } from "../../../src/server/etcd-server.ts";
import type { SimMember } from "../world/sim-member.ts";
import type { Truth } from "./truth.ts";
import { Violation } from "./violation.ts";

/** The rows beside the keys that all members have alike. */
const buckets = ["lease", "alarm", "members", "members_removed", "cluster", "meta"] as const;

export class MembersCheck {
  readonly #truth: Truth;
  readonly #leaders = new Map<Term, MemberId>();
  /** What the rows beside the keys were after an entry, as a hash. */
  readonly #rowsAt = new Map<number, { readonly hash: string; readonly who: string }>();
  readonly #hashKvAt = new Map<string, { readonly hash: number; readonly who: string }>();
  elections = 0;
  hashesCompared = 0;
  readonly #nowMs: () => number;

  constructor(truth: Truth, nowMs: () => number) {
    this.#truth = truth;
    this.#nowMs = nowMs;
  }

  /** A member has taken a Ready. */
  onReady(node: RawNode, { softState }: Ready): void {
    if (softState?.role === "leader") {
      const known = this.#leaders.get(node.term);
      if (known !== undefined && known !== node.id) {
        throw new Violation("election safety", `two leaders in term ${node.term}`);
      }
      if (known === undefined) this.elections++;
      this.#leaders.set(node.term, node.id);
    }
  }

  /** A member is about to apply entries. */
  onCommitted(member: SimMember, entries: readonly Entry[]): void {
    for (const entry of entries) this.#truth.committed(entry, member.name, this.#nowMs());
  }

  /** A member has applied everything up to an entry. */
  onApplied(member: SimMember, index: number): void {
    const server = member.server;
    if (server === undefined) return;
    const { revision, compactRevision, position } = server.store;
    const where = `${member.name} at entry ${index}`;
    if (position.appliedIndex !== index) {
      throw new Violation("applied index", `${where} has a store at ${position.appliedIndex}`);
    }
    const wanted = this.#truth.revisionAt(index);
    if (revision !== wanted) throw new Violation("revision", `${where} is at ${revision}, not ${wanted}`);
    const compacted = index === 0 ? -1 : this.#truth.entries[index - 1]!.compactRevision;
    if (compactRevision !== compacted) {
      throw new Violation("compact revision", `${where} is at ${compactRevision}, not ${compacted}`);
    }
  }

  /** Looks at all members that run: their rows and their hashes, where they can be compared. */
  compare(members: readonly SimMember[]): void {
    const newest = Math.min(
      ...members.map(({ server }) => server?.store.revision ?? Number.POSITIVE_INFINITY),
    );
    for (const { name, server } of members) {
      if (server === undefined || server.store.writeInProgress) continue;
      this.#compareRows(name, server);
      if (Number.isFinite(newest)) this.#compareHashes(name, server, newest as Revision);
    }
  }

  #compareRows(who: string, { store }: EtcdServer): void {
    const digest = createHash("sha1");
    for (const bucket of buckets) {
      const rows = finish(store.readMeta(bucket));
      digest.update(`${bucket}(`);
      for (const key of [...rows.keys()].sort()) {
        digest.update(key).update("=").update(rows.get(key)!).update(";");
      }
    }
    const hash = digest.digest("hex");
    const index = store.position.appliedIndex;
    const known = this.#rowsAt.get(index);
    if (known === undefined) this.#rowsAt.set(index, { hash, who });
    else if (known.hash !== hash) {
      throw new Violation("equal state", `${who} and ${known.who} have other rows after entry ${index}`);
    } else this.hashesCompared++;
  }

  #compareHashes(who: string, { store }: EtcdServer, revision: Revision): void {
    if (revision < store.compactRevision) return;
    const { hash, hashRevision, compactRevision } = finish(store.hashByRevision(revision));
    const at = `${hashRevision}/${compactRevision}`;
    const known = this.#hashKvAt.get(at);
    if (known === undefined) this.#hashKvAt.set(at, { hash, who });
    else if (known.hash !== hash) {
      throw new Violation("equal HashKV", `${who} and ${known.who} differ at revision ${at}`);
    } else this.hashesCompared++;
  }

  /** All that lives in a member's store is what the truth says. For members at rest. */
  compareWithTruth({ name, server }: SimMember): void {
    if (server === undefined) return;
    const { store } = server;
    const state = this.#truth.stateAt(store.revision);
    const { kvs } = finish(store.range({ ...everything }));
    const found = kvs.map(
      (kv) => `${toBinaryKey(kv.key)}=${toBinaryKey(kv.value)}@${kv.modRevision}.${kv.version}`,
    );
    const wanted = [...state]
      .map(([key, { value, modRevision, version }]) => `${key}=${value}@${modRevision}.${version}`)
      .sort();
    if (found.sort().join() !== wanted.join()) {
      throw new Violation(
        "state",
        `${name} does not hold what was committed up to revision ${store.revision}`,
      );
    }
    const leases = finish(server.lessor.list()).sort(compareIds).join();
    const wantedLeases = [...this.#truth.leases.keys()].sort(compareIds).join();
    if (store.position.appliedIndex === this.#truth.index && leases !== wantedLeases) {
      throw new Violation("leases", `${name} has leases ${leases}, not ${wantedLeases}`);
    }
  }
}

const everything = {
  key: Uint8Array.of(0),
  rangeEnd: Uint8Array.of(0),
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  serializable: true,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
};
