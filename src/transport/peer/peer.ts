/**
 * Another member of the cluster: two streams that it reads from us, two that we read from it, and posts for what has no
 * stream or is too large for one.
 */
import type { Clock } from "../../lib/clock.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import { type Message, MessageType } from "../../lib/raft-message.ts";
import { formatId } from "../../membership/member.ts";
import { messageName } from "../../raft/message.ts";
import type { LocalIdentity } from "./cluster-headers.ts";
import type { SnapshotSource } from "./contracts.ts";
import type { HttpClient } from "./http1/client.ts";
import type { OutgoingStream } from "./http1/exchange.ts";
import type { PeerLimits } from "./limits.ts";
import type { PeerSeries } from "./peer-metrics.ts";
import { PeerStatus } from "./peer-status.ts";
import { Pipeline } from "./pipeline.ts";
import { Prober } from "./prober.ts";
import { type OpenSnapshot, SnapshotSender } from "./snapshot/snapshot-sender.ts";
import { StreamReader } from "./streams/stream-reader.ts";
import { type StreamType, streamTypes } from "./streams/stream-type.ts";
import { StreamWriter } from "./streams/stream-writer.ts";
import { UrlPicker } from "./url-picker.ts";

/** What all members' connections share. */
export interface PeerEnvironment {
  readonly local: LocalIdentity;
  readonly client: HttpClient;
  readonly snapshotSource: SnapshotSource | undefined;
  readonly limits: PeerLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dialTimeoutMs: number;
  /** How many snapshots are on their way. */
  readonly snapshots: { sending: number };
  readonly onMessages: (from: MemberId, messages: readonly Message[]) => void;
  readonly onUnreachable: (id: MemberId) => void;
  readonly onSnapshotStatus: (id: MemberId, ok: boolean) => void;
  readonly onLocalRemoved: () => void;
}

export class Peer {
  readonly id: MemberId;
  readonly status: PeerStatus;
  readonly series: PeerSeries;
  readonly #environment: PeerEnvironment;
  readonly #logger: Logger;
  readonly #picker: UrlPicker;
  readonly #writers: Readonly<Record<StreamType, StreamWriter>>;
  readonly #readers: Readonly<Record<StreamType, StreamReader>>;
  readonly #pipeline: Pipeline;
  readonly #snapshots: SnapshotSender;
  #prober: Prober;
  #sendsSnapshot = false;

  constructor(id: MemberId, urls: readonly string[], series: PeerSeries, environment: PeerEnvironment) {
    const { clock, logger, limits, local, client, dialTimeoutMs, onLocalRemoved } = environment;
    this.id = id;
    this.series = series;
    this.#environment = environment;
    this.#logger = logger.at("transport/peer/peer.ts");
    this.#logger.info("starting remote peer", { "remote-peer-id": formatId(id) });
    this.#picker = new UrlPicker(urls);
    this.status = new PeerStatus(id, clock, logger, series);
    const shared = {
      local,
      peerId: id,
      picker: this.#picker,
      status: this.status,
      series,
      client,
      limits,
      clock,
      logger,
      onLost: () => environment.onUnreachable(id),
      onLocalRemoved,
    };
    this.#pipeline = new Pipeline(shared);
    const writer = (type: StreamType) => new StreamWriter({ ...shared, type, localId: local.id });
    this.#writers = { append: writer("append"), message: writer("message") };
    const onMessages = (messages: readonly Message[]): void => environment.onMessages(id, messages);
    const reader = (type: StreamType) => new StreamReader({ ...shared, type, dialTimeoutMs, onMessages });
    this.#readers = { append: reader("append"), message: reader("message") };
    this.#snapshots = new SnapshotSender(shared);
    this.#prober = new Prober(shared);
    this.#readers.append.start();
    this.#readers.message.start();
    this.#logger.info("started remote peer", { "remote-peer-id": formatId(id) });
  }

  /** Never waits. What finds no room is dropped, and Raft is told. */
  send(message: Message): void {
    if (message.type === MessageType.snap) {
      const { snapshotSource, onSnapshotStatus } = this.#environment;
      const missing = () => Promise.reject(new Error("no snapshot source"));
      const open = snapshotSource ? (signal: AbortSignal) => snapshotSource.open(message, signal) : missing;
      this.sendSnapshot(message, open, (ok) => onSnapshotStatus(this.id, ok));
      return;
    }
    const { append, message: general } = this.#writers;
    if (message.type === MessageType.app && append.isWorking) {
      if (!append.send(message)) this.#dropped(message, streamTypes.append.queueName);
    } else if (general.isWorking) {
      if (!general.send(message)) this.#dropped(message, streamTypes.message.queueName);
    } else if (!this.#pipeline.send(message)) this.#dropped(message, "pipeline");
  }

  /** `done` is told once, and perhaps at once. */
  sendSnapshot(message: Message, open: OpenSnapshot, done: (ok: boolean) => void): void {
    const { snapshots, limits } = this.#environment;
    // Raft sends one at a time; a second one would come from a core that gave the first one up.
    if (this.#sendsSnapshot || snapshots.sending >= limits.snapshotsSending) {
      this.#dropped(message, "sendMsgSnap");
      done(false);
      return;
    }
    this.#sendsSnapshot = true;
    snapshots.sending++;
    void this.#snapshots.send(message, open).then((ok) => {
      this.#sendsSnapshot = false;
      snapshots.sending--;
      done(ok);
    });
  }

  /** The member asked for a stream. */
  attach(type: StreamType, stream: OutgoingStream): void {
    this.#writers[type].attach(stream);
    // It is up, so it can be dialled.
    this.#readers.append.wake();
    this.#readers.message.wake();
  }

  /** Throws if `urls` are none. */
  update(urls: readonly string[]): void {
    for (const url of this.#picker.urls) this.#environment.client.forget(url);
    this.#picker.update(urls);
    const { limits, clock, logger, client } = this.#environment;
    this.#prober.stop();
    const shared = { peerId: this.id, picker: this.#picker, series: this.series };
    this.#prober = new Prober({ ...shared, client, limits, clock, logger });
  }

  pauseAppends(): void {
    this.#readers.append.pause();
  }

  resumeAppends(): void {
    this.#readers.append.resume();
  }

  stop(): void {
    this.#logger.info("stopping remote peer", { "remote-peer-id": formatId(this.id) });
    this.#prober.stop();
    for (const writer of Object.values(this.#writers)) writer.stop();
    for (const reader of Object.values(this.#readers)) reader.stop();
    this.#pipeline.stop();
    this.#snapshots.stop();
    for (const url of this.#picker.urls) this.#environment.client.forget(url);
    this.status.forget();
    this.#logger.info("stopped remote peer", { "remote-peer-id": formatId(this.id) });
  }

  #dropped(message: Message, queue: string): void {
    this.#environment.onUnreachable(this.id);
    this.series.sentFailures.inc();
    this.#logger.warn("dropped internal Raft message since sending buffer is full", {
      "message-type": messageName(message.type),
      "local-member-id": formatId(this.#environment.local.id),
      from: formatId(message.from),
      "remote-peer-id": formatId(this.id),
      "remote-peer-name": queue,
      "remote-peer-active": this.status.isActive,
    });
  }
}
