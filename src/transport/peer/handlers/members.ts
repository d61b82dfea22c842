/** GET /members: who is in the cluster, for a member that joins. */
import { formatId, memberToJson } from "../../../membership/member.ts";
import type { LocalIdentity } from "../cluster-headers.ts";
import type { MembersSource } from "../contracts.ts";
import type { Exchange } from "../http1/exchange.ts";

export function handleMembers(exchange: Exchange, local: LocalIdentity, source: MembersSource): void {
  if (!exchange.allows("GET")) return;
  const headers = { "Content-Type": "application/json", "X-Etcd-Cluster-ID": formatId(local.clusterId) };
  const members = source.members().map((member) => memberToJson(member));
  exchange.respond(200, headers, `[${members.join(",")}]\n`);
}
