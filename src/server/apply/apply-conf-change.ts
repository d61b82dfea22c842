/** Changes of the membership: Raft's and the cluster's state change in one step. */
import { EtcdError } from "../../errors/etcd-error.ts";
import { noMember } from "../../lib/ids.ts";
import { type Entry, EntryType } from "../../lib/raft-entry.ts";
import type { MemberChange } from "../../membership/cluster.ts";
import { confStateRow } from "../../membership/conf-state-row.ts";
import { decodeConfChange, decodeConfChangeV2 } from "../../raft/confchange/wire.ts";
import type { ApplyContext } from "./apply-context.ts";

export function applyConfChange(context: ApplyContext, entry: Entry): void {
  const { store, cluster, proposals } = context;
  // etcd proposes the older form only; the newer one comes from Raft itself, to leave a joint configuration.
  if (entry.type === EntryType.confChangeV2) {
    const confState = context.applyConfChange(decodeConfChangeV2(entry.data));
    store.applyMeta([confStateRow(confState)], entry.index, entry.term);
    context.onMembershipChange();
    return;
  }
  const wire = decodeConfChange(entry.data);
  const change: MemberChange = {
    type: wire.type,
    nodeId: wire.nodeId,
    context: new TextDecoder().decode(wire.context),
  };
  const proposal = proposals.find(wire.id);
  try {
    cluster.validate(change);
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
    // Raft waits for each change it logged, also for one that comes to nothing.
    context.applyConfChange({ ...wire, nodeId: noMember });
    store.applyNothing(entry.index, entry.term);
    if (proposal) proposals.finish(proposal, error);
    return;
  }
  const confState = context.applyConfChange(wire);
  store.applyMeta([...cluster.apply(change), confStateRow(confState)], entry.index, entry.term);
  context.onMembershipChange();
  if (proposal) proposals.finish(proposal, undefined, cluster.members());
}
