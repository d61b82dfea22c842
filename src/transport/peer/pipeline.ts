/**
 * Messages as posts of their own, a few at a time: for a member that has not asked for a stream, or does not know this
 * one yet.
 */
import { encodeMessage } from "../../codec/raft-message.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import { type Message, MessageType } from "../../lib/raft-message.ts";
import { formatId } from "../../membership/member.ts";
import { identityHeaders, type LocalIdentity } from "./cluster-headers.ts";
import type { HttpClient } from "./http1/client.ts";
import type { PeerLimits } from "./limits.ts";
import type { PeerSeries } from "./peer-metrics.ts";
import type { PeerStatus } from "./peer-status.ts";
import { checkPostAnswer, LocalRemovedError } from "./post-answer.ts";
import type { UrlPicker } from "./url-picker.ts";

export const pipelinePath = "/raft";

export interface PipelineOptions {
  readonly local: LocalIdentity;
  readonly peerId: MemberId;
  readonly picker: UrlPicker;
  readonly status: PeerStatus;
  readonly series: PeerSeries;
  readonly client: HttpClient;
  readonly limits: PeerLimits;
  readonly logger: Logger;
  readonly onLost: () => void;
  readonly onLocalRemoved: () => void;
}

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  readonly #queue: Message[] = [];
  #posts = 0;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#logger = options.logger.at("transport/peer/pipeline.ts");
    this.#log("started HTTP pipelining with remote peer");
  }

  /** False: there is no room, and the message is not taken. */
  send(message: Message): boolean {
    if (this.#queue.length >= this.#options.limits.pipelineMessages) return false;
    this.#queue.push(message);
    this.#pump();
    return true;
  }

  stop(): void {
    this.#stopping.abort();
    this.#queue.length = 0;
    this.#log("stopped HTTP pipelining with remote peer");
  }

  #pump(): void {
    while (this.#posts < this.#options.limits.pipelinePosts && !this.#stopping.signal.aborted) {
      const message = this.#queue.shift();
      if (message === undefined) return;
      this.#posts++;
      void this.#post(message).finally(() => {
        this.#posts--;
        this.#pump();
      });
    }
  }

  async #post(message: Message): Promise<void> {
    const { local, peerId, picker, status, series, client, limits, onLost, onLocalRemoved } = this.#options;
    const url = picker.pick();
    const body = encodeMessage(message);
    const headers = { ...identityHeaders(local), "Content-Type": "application/protobuf" };
    try {
      const response = await client.request(
        url,
        // Of a proposal that came twice nobody could tell; all else may.
        { method: "POST", path: pipelinePath, headers, body, isOnce: message.type === MessageType.prop },
        {
          timeoutMs: limits.postTimeoutMs,
          maxBodyBytes: limits.smallBodyBytes,
          signal: this.#stopping.signal,
        },
      );
      const where = `${url.href}${pipelinePath}`;
      checkPostAnswer(response, { local, to: peerId, where, logger: this.#logger });
      status.activate();
      series.sentBytes.inc(body.length);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      picker.unreachable(url);
      status.deactivate({ source: "pipeline", action: "write" }, (error as Error).message);
      series.sentFailures.inc();
      onLost();
      if (error instanceof LocalRemovedError) onLocalRemoved();
    }
  }

  #log(text: string): void {
    const { local, peerId } = this.#options;
    this.#logger.info(text, { "local-member-id": formatId(local.id), "remote-peer-id": formatId(peerId) });
  }
}
