/** What requests with messages have in common: who sent them, and whether it may. */
import type { MemberId } from "../../../lib/ids.ts";
import type { Logger } from "../../../lib/logger.ts";
import type { Message } from "../../../lib/raft-message.ts";
import { formatId } from "../../../membership/member.ts";
import { parseId } from "../cluster-headers.ts";
import type { Exchange } from "../http1/exchange.ts";
import type { PeerTransport } from "../peer-transport.ts";
import { fromRemovedMember, toMismatchMember } from "../post-answer.ts";

/** A member may have as many URLs as this. */
const urlsMax = 16;

/** The id in a request's header; undefined without a sound one. */
export function senderOf(exchange: Exchange): MemberId | undefined {
  return parseId(exchange.header("x-server-from")) as MemberId | undefined;
}

/** Remembers how to answer a member that is not known yet. */
export function rememberSender(transport: PeerTransport, exchange: Exchange, id = senderOf(exchange)): void {
  const urls = exchange.header("x-peerurls");
  if (id === undefined || urls === "") return;
  transport.addRemote(id, urls.split(",").slice(0, urlsMax));
}

/** False, and answered with 403, if a message is from a member that is gone, or for another one. */
export function checkParties(
  transport: PeerTransport,
  exchange: Exchange,
  message: Message,
  logger: Logger,
): boolean {
  const local = { "local-member-id": formatId(transport.local.id) };
  if (transport.isRemoved(message.from)) {
    const removed = { "removed-member-id": formatId(message.from) };
    logger.warn("rejected Raft message from removed member", { ...local, ...removed });
    refuseMessage(exchange, fromRemovedMember);
    return false;
  }
  if (message.to !== transport.local.id) {
    const mismatch = { "mismatch-member-id": formatId(message.to) };
    logger.warn("rejected Raft message to mismatch member", { ...local, ...mismatch });
    refuseMessage(exchange, toMismatchMember);
    return false;
  }
  return true;
}

function refuseMessage(exchange: Exchange, text: string): void {
  exchange.respond(403, { "Content-Type": "application/json" }, JSON.stringify({ message: text }));
}
