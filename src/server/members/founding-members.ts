/** The members of a new cluster: their ids, and the entries that every member's log begins with. */
import { createHash } from "node:crypto";
import type { RaftIndex, Term } from "../../lib/ids.ts";
import { type Entry, EntryType } from "../../lib/raft-entry.ts";
import { ConfChangeType } from "../../membership/cluster.ts";
import {
  compareIds,
  computeMemberId,
  formatId,
  type Member,
  memberToJson,
  utf8,
} from "../../membership/member.ts";
import { encodeConfChange } from "../../raft/confchange/wire.ts";

export const sha1 = (bytes: Uint8Array): Uint8Array => createHash("sha1").update(bytes).digest();

/** The term of the first entries, which no leader wrote. */
export const firstTerm = 1 as Term;

/** `urlsByName` as in `--initial-cluster`; each list sorted. In order of id. */
export function foundingMembers(urlsByName: ReadonlyMap<string, readonly string[]>, token: string): Member[] {
  const members = [...urlsByName].map(([name, peerUrls]): Member => {
    const id = computeMemberId(sha1, peerUrls, token);
    return { id, name, peerUrls, isLearner: false, clientUrls: [] };
  });
  members.sort((a, b) => compareIds(a.id, b.id));
  for (const [at, { id }] of members.entries()) {
    if (id === members[at + 1]?.id) throw new Error(`member exists with identical ID ${formatId(id)}`);
  }
  return members;
}

/** The same on every founding member, for nobody sends them to anybody. Byte for byte etcd's. */
export function foundingEntries(members: readonly Member[]): Entry[] {
  return members.map((member, i) => ({
    type: EntryType.confChange,
    term: firstTerm,
    index: (i + 1) as RaftIndex,
    data: encodeConfChange({
      id: 0n,
      type: ConfChangeType.addNode,
      nodeId: member.id,
      context: utf8(memberToJson(member)),
    }),
  }));
}
