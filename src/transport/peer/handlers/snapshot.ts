/** POST /raft/snapshot: a MsgSnap, and behind it the database file, which goes straight to the sink. */

import type { Clock } from "../../../lib/clock.ts";
import { humanBytes } from "../../../lib/human-bytes.ts";
import type { Logger } from "../../../lib/logger.ts";
import { MessageType } from "../../../lib/raft-message.ts";
import { formatId } from "../../../membership/member.ts";
import { checkCompatible } from "../cluster-headers.ts";
import { FrameError } from "../frames/frame.ts";
import type { Exchange } from "../http1/exchange.ts";
import type { PeerTransport } from "../peer-transport.ts";
import { SnapshotBody } from "../snapshot/snapshot-body.ts";
import { checkParties, rememberSender, senderOf } from "./sender.ts";

/** Receives snapshots, a few at a time. */
export class SnapshotReceiver {
  readonly #transport: PeerTransport;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #receiving = 0;

  constructor(transport: PeerTransport, clock: Clock, logger: Logger) {
    this.#transport = transport;
    this.#clock = clock;
    this.#logger = logger.at("transport/peer/handlers/snapshot.ts");
  }

  async handle(exchange: Exchange): Promise<void> {
    const { local, limits } = this.#transport;
    const { failures } = this.#transport.seriesOf(senderOf(exchange)).snapshotReceive;
    if (!exchange.allows("POST") || !checkCompatible(exchange, local, this.#logger)) {
      failures.inc();
      return;
    }
    if (this.#receiving >= limits.snapshotsReceiving) {
      failures.inc();
      exchange.refuse(503, "too many snapshots at once");
      return;
    }
    rememberSender(this.#transport, exchange);
    this.#receiving++;
    try {
      await this.#receive(exchange);
    } finally {
      this.#receiving--;
    }
  }

  async #receive(exchange: Exchange): Promise<void> {
    const transport = this.#transport;
    const { local, limits } = transport;
    const startedMs = this.#clock.monotonicMs();
    const sender = senderOf(exchange);
    const series = transport.seriesOf(sender);
    const headers = { "X-Etcd-Cluster-ID": formatId(local.clusterId) };
    const fields: Record<string, string | number> = {
      "local-member-id": formatId(local.id),
      "remote-snapshot-sender-id": sender === undefined ? "" : formatId(sender),
    };
    const fail = (status: number, text: string, answer: string, error: Error): void => {
      this.#logger.warn(text, { ...fields, error: error.message });
      series.snapshotReceive.failures.inc();
      exchange.refuse(status, answer, headers);
    };
    const body = new SnapshotBody(exchange, limits);
    let message: Awaited<ReturnType<SnapshotBody["message"]>>;
    try {
      message = await body.message();
      if (message.type !== MessageType.snap) throw new FrameError("wrong raft message type");
    } catch (error) {
      series.receivedFailures.inc();
      const reason = (error as Error).message;
      const isType = reason === "wrong raft message type";
      const text = isType ? "unexpected Raft message type" : "failed to decode Raft message";
      fail(400, text, isType ? reason : `failed to decode raft message (${reason})`, error as Error);
      return;
    }
    if (!checkParties(transport, exchange, message, this.#logger)) {
      series.snapshotReceive.failures.inc();
      return;
    }
    fields["incoming-snapshot-index"] = message.snapshot!.metadata.index;
    this.#logger.info("receiving database snapshot", fields);
    series.snapshotReceive.inflight.inc();
    try {
      const incoming = await transport.snapshotSink.open(message);
      const bytes = await body.saveTo(incoming);
      series.receivedBytes.inc(bytes);
      fields["incoming-snapshot-size-bytes"] = bytes;
      fields["incoming-snapshot-size"] = humanBytes(bytes);
    } catch (error) {
      const answer = `failed to save KV snapshot (${(error as Error).message})`;
      fail(500, "failed to save incoming database snapshot", answer, error as Error);
      return;
    } finally {
      series.snapshotReceive.inflight.inc(-1);
    }
    this.#logger.info("received and saved database snapshot", fields);
    try {
      await transport.deliverSnapshot(message);
    } catch (error) {
      const answer = `failed to process raft message (${(error as Error).message})`;
      fail(500, "failed to process Raft message", answer, error as Error);
      return;
    }
    // Only now: the sender takes the answer as "Raft has it".
    exchange.respond(204, headers);
    series.snapshotReceive.success.inc();
    series.snapshotReceive.seconds.observe((this.#clock.monotonicMs() - startedMs) / 1000);
  }
}
