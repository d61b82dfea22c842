/** GET /raft/stream/<kind>/<id>: a member asks for what this one has to say to it. */
import type { MemberId } from "../../../lib/ids.ts";
import type { Logger } from "../../../lib/logger.ts";
import { formatId } from "../../../membership/member.ts";
import { checkCompatible, parseId } from "../cluster-headers.ts";
import type { Exchange } from "../http1/exchange.ts";
import type { PeerTransport } from "../peer-transport.ts";
import { type StreamType, streamTypes } from "../streams/stream-type.ts";
import { rememberSender } from "./sender.ts";

export const streamPrefix = "/raft/stream/";

export function handleStream(transport: PeerTransport, exchange: Exchange, logger: Logger): void {
  if (!exchange.allows("GET")) return;
  const { local } = transport;
  if (!checkCompatible(exchange, local, logger)) return;
  const headers = {
    "X-Server-Version": local.serverVersion,
    "X-Etcd-Cluster-ID": formatId(local.clusterId),
  };
  const slash = exchange.path.lastIndexOf("/");
  const type = typeOf(exchange.path.slice(0, slash));
  const fields = { "local-member-id": formatId(local.id), path: exchange.path };
  if (type === undefined) {
    logger.debug("ignored unexpected streaming request path", fields);
    exchange.refuse(404, "invalid path", headers);
    return;
  }
  const from = parseId(exchange.path.slice(slash + 1)) as MemberId | undefined;
  if (from === undefined) {
    logger.warn("failed to parse path into ID", fields);
    exchange.refuse(404, "invalid from", headers);
    return;
  }
  const peerFields = {
    "local-member-id": formatId(local.id),
    "remote-peer-id-stream-handler": formatId(local.id),
    "remote-peer-id-from": formatId(from),
  };
  if (transport.isRemoved(from)) {
    logger.warn("rejected stream from remote peer because it was removed", peerFields);
    exchange.refuse(410, "removed member", headers);
    return;
  }
  const clusterField = { "cluster-id": formatId(local.clusterId) };
  const peer = transport.peer(from);
  if (peer === undefined) {
    // It may have joined by an entry that is not applied here yet.
    rememberSender(transport, exchange, from);
    logger.warn("failed to find remote peer in cluster", { ...peerFields, ...clusterField });
    exchange.refuse(404, "error sender not found", headers);
    return;
  }
  const to = exchange.header("x-raft-to");
  if (to !== formatId(local.id)) {
    const toField = { "remote-peer-id-header": to };
    logger.warn("ignored streaming request; ID mismatch", { ...peerFields, ...clusterField, ...toField });
    exchange.refuse(412, "to field mismatch", headers);
    return;
  }
  peer.attach(type, exchange.stream(200, headers));
}

function typeOf(path: string): StreamType | undefined {
  if (path === streamTypes.append.path) return "append";
  return path === streamTypes.message.path ? "message" : undefined;
}
