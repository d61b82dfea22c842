/** Which members this one has been connected with, and since when: what etcd asks before it changes the membership. */
import type { MemberId } from "../../lib/ids.ts";
import type { Member } from "../../membership/member.ts";
import type { Peers } from "../peers.ts";

export type Connectivity = Pick<Peers, "activeSinceMs">;

export function quorumOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/** Whether there has been a connection with a member all the time since `sinceMs`. */
export function isConnectedSince(peers: Connectivity, id: MemberId, sinceMs: number): boolean {
  const activeSinceMs = peers.activeSinceMs(id);
  return activeSinceMs !== undefined && activeSinceMs < sinceMs;
}

/** How many of `members`, this one included, are connected since `sinceMs`. */
export function countConnectedSince(
  peers: Connectivity,
  localId: MemberId,
  members: readonly Member[],
  sinceMs: number,
): number {
  return members.filter(({ id }) => id === localId || isConnectedSince(peers, id, sinceMs)).length;
}

/** Of some members the one with the oldest connection. */
export function longestConnected(peers: Connectivity, ids: readonly MemberId[]): MemberId | undefined {
  let longest: { readonly id: MemberId; readonly sinceMs: number } | undefined;
  for (const id of ids) {
    const sinceMs = peers.activeSinceMs(id);
    if (sinceMs !== undefined && (longest === undefined || sinceMs < longest.sinceMs))
      longest = { id, sinceMs };
  }
  return longest?.id;
}
