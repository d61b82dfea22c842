/** GET /version: which versions this member and its cluster have. */
import type { MembersSource } from "../contracts.ts";
import type { Exchange } from "../http1/exchange.ts";

export function handleVersion(exchange: Exchange, source: MembersSource): void {
  if (!exchange.allows("GET")) return;
  const { etcdserver, etcdcluster, storage } = source.versions();
  const body = JSON.stringify({ etcdserver, etcdcluster, storage });
  exchange.respond(200, { "Content-Type": "application/json" }, body);
}
