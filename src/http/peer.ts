/** What the members' port answers besides Raft's own messages. */
import { Hono } from "hono";
import type { Cluster } from "../membership/cluster.ts";
import { formatId, memberToJson } from "../membership/member.ts";

export interface PeerOptions {
  readonly versions: () => { etcdserver: string; etcdcluster: string; storage: string };
  readonly cluster: Cluster;
}

export function createPeerHandler({
  versions,
  cluster,
}: PeerOptions): (request: Request) => Response | Promise<Response> {
  const app = new Hono();
  app.get("/version", (context) =>
    context.body(JSON.stringify(versions()), 200, { "Content-Type": "application/json" }),
  );
  app.get("/members", (context) =>
    context.body(
      `[${cluster
        .members()
        .map((member) => memberToJson(member))
        .join(",")}]\n`,
      200,
      {
        "Content-Type": "application/json",
        "X-Etcd-Cluster-ID": formatId(cluster.id),
      },
    ),
  );
  app.notFound((context) => context.text("404 page not found\n", 404));
  return (request) => app.fetch(request);
}
