/** POST /raft: one message. */
import type { Logger } from "../../../lib/logger.ts";
import { MessageType } from "../../../lib/raft-message.ts";
import { formatId } from "../../../membership/member.ts";
import { checkCompatible } from "../cluster-headers.ts";
import { FrameError } from "../frames/frame.ts";
import { readMessage } from "../frames/message-frames.ts";
import type { Exchange } from "../http1/exchange.ts";
import type { PeerTransport } from "../peer-transport.ts";
import { checkParties, rememberSender, senderOf } from "./sender.ts";

export async function handlePipeline(
  transport: PeerTransport,
  exchange: Exchange,
  logger: Logger,
): Promise<void> {
  if (!exchange.allows("POST")) return;
  const { local, limits } = transport;
  if (!checkCompatible(exchange, local, logger)) return;
  rememberSender(transport, exchange);
  const series = transport.seriesOf(senderOf(exchange));
  const headers = { "X-Etcd-Cluster-ID": formatId(local.clusterId) };
  const fail = (text: string, answer: string, error: Error): void => {
    logger.warn(text, { "local-member-id": formatId(local.id), error: error.message });
    series.receivedFailures.inc();
    exchange.refuse(400, answer, headers);
  };
  let body: Uint8Array;
  try {
    body = await exchange.readBody(limits.messageBytes);
  } catch (error) {
    fail("failed to read Raft message", "error reading raft message", error as Error);
    return;
  }
  series.receivedBytes.inc(body.length);
  try {
    const message = readMessage(body, limits);
    if (message.type === MessageType.snap) throw new FrameError("a MsgSnap without its database");
    if (!checkParties(transport, exchange, message, logger)) return;
    transport.deliver([message]);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    fail("failed to unmarshal Raft message", "error unmarshalling raft message", error);
    return;
  }
  exchange.respond(204, headers);
}
