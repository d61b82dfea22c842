/**
 * Sends snapshots to one member: a post whose body is the MsgSnap and, behind it, the database file. A trailer has the
 * file's SHA-256, which our own members check; etcd ignores it.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../../lib/clock.ts";
import { humanBytes } from "../../../lib/human-bytes.ts";
import type { MemberId } from "../../../lib/ids.ts";
import type { Logger } from "../../../lib/logger.ts";
import type { Message } from "../../../lib/raft-message.ts";
import { formatId } from "../../../membership/member.ts";
import { identityHeaders, type LocalIdentity } from "../cluster-headers.ts";
import type { OutgoingSnapshot } from "../contracts.ts";
import { MessageEncoder } from "../frames/message-frames.ts";
import type { HttpClient } from "../http1/client.ts";
import type { PeerLimits } from "../limits.ts";
import type { PeerSeries } from "../peer-metrics.ts";
import type { PeerStatus } from "../peer-status.ts";
import { checkPostAnswer, LocalRemovedError } from "../post-answer.ts";
import type { UrlPicker } from "../url-picker.ts";

export const snapshotPath = "/raft/snapshot";
/** The trailer with the SHA-256 of all bytes after the message, in hexadecimal. */
export const snapshotDigestTrailer = "X-Etclite-Snapshot-Sha256";

export interface SnapshotSenderOptions {
  readonly local: LocalIdentity;
  readonly peerId: MemberId;
  readonly picker: UrlPicker;
  readonly status: PeerStatus;
  readonly series: PeerSeries;
  readonly client: HttpClient;
  readonly limits: PeerLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onLost: () => void;
  readonly onLocalRemoved: () => void;
}

/** Gives the state to send; `signal` says that nobody wants it any more. */
export type OpenSnapshot = (signal: AbortSignal) => Promise<OutgoingSnapshot>;

export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
    this.#logger = options.logger.at("transport/peer/snapshot/snapshot-sender.ts");
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** Resolves to whether the member has it. */
  async send(message: Message, open: OpenSnapshot): Promise<boolean> {
    const { picker, status, series, clock, peerId, onLost, onLocalRemoved } = this.#options;
    const { inflight, success, failures, seconds } = series.snapshotSend;
    const startedMs = clock.monotonicMs();
    const url = picker.pick();
    const about = new SnapshotFields(peerId);
    inflight.inc();
    try {
      const opened = await open(this.#stopping.signal);
      about.take(opened);
      this.#logger.info("sending database snapshot", about.fields);
      try {
        await this.#post(message, opened, url);
      } finally {
        await opened.close();
      }
      status.activate();
      this.#logger.info("sent database snapshot", about.fields);
      success.inc();
      seconds.observe((clock.monotonicMs() - startedMs) / 1000);
      return true;
    } catch (error) {
      const reason = (error as Error).message;
      this.#logger.warn("failed to send database snapshot", { ...about.fields, error: reason });
      picker.unreachable(url);
      if (!this.#stopping.signal.aborted)
        status.deactivate({ source: "sendMsgSnap", action: "post" }, reason);
      series.sentFailures.inc();
      failures.inc();
      onLost();
      if (error instanceof LocalRemovedError) onLocalRemoved();
      return false;
    } finally {
      inflight.inc(-1);
    }
  }

  async #post(message: Message, opened: OutgoingSnapshot, url: ReturnType<UrlPicker["pick"]>): Promise<void> {
    const { local, peerId, client, limits, series } = this.#options;
    const hash = createHash("sha256");
    const headers = {
      ...identityHeaders(local),
      "Content-Type": "application/octet-stream",
      Trailer: snapshotDigestTrailer,
    };
    async function* body(): AsyncGenerator<Uint8Array> {
      const encoder = new MessageEncoder();
      const head = new Uint8Array(encoder.add({ ...message, snapshot: opened.snapshot }));
      encoder.write(head, 0);
      yield head;
      for await (const chunk of opened.chunks) {
        hash.update(chunk);
        series.sentBytes.inc(chunk.length);
        yield chunk;
      }
    }
    const response = await client.upload(
      url,
      { method: "POST", path: snapshotPath, headers },
      {
        chunks: body(),
        trailers: () => ({ [snapshotDigestTrailer]: hash.digest("hex") }),
        stallTimeoutMs: limits.snapshotStallTimeoutMs,
        responseTimeoutMs: limits.snapshotResponseTimeoutMs,
        maxResponseBytes: limits.smallBodyBytes,
        signal: this.#stopping.signal,
      },
    );
    const where = `${url.href}${snapshotPath}`;
    checkPostAnswer(response, { local, to: peerId, where, logger: this.#logger });
  }
}

/** What the log lines say about a snapshot. */
class SnapshotFields {
  readonly fields: Record<string, string | number>;

  constructor(peerId: MemberId) {
    this.fields = { "remote-peer-id": formatId(peerId) };
  }

  take({ snapshot, sizeBytes }: OutgoingSnapshot): void {
    this.fields["snapshot-index"] = snapshot.metadata.index;
    this.fields["bytes"] = sizeBytes;
    this.fields["size"] = humanBytes(sizeBytes);
  }
}
