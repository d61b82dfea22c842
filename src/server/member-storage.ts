/**
 * What this member stores, and how it changes as a whole: it goes to a member that is far behind, and a leader's takes the
 * place of this one's.
 */
import type { Backend } from "../backend/backend.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { SnapshotMark } from "../lib/raft-entry.ts";
import type { Message } from "../lib/raft-message.ts";
import { MvccStore } from "../mvcc/store.ts";
import { loadState } from "./load-state.ts";
import type { ProposedRequest } from "./proposer.ts";
import type { RaftLoop } from "./raft-loop.ts";
import { type EtcdServerParts, quotaBytes } from "./server-parts.ts";
import type { Slices } from "./slices.ts";
import type { DatabaseSnapshot, SnapshotReader } from "./snapshot/database-snapshot.ts";
import { type IncomingSnapshot, SnapshotReceiver } from "./snapshot/receive-snapshot.ts";
import { SnapshotSender } from "./snapshot/send-snapshot.ts";
import { SpaceQuota } from "./space-quota.ts";
import { Storage } from "./storage.ts";

export interface MemberStorageOptions {
  readonly parts: EtcdServerParts;
  readonly slices: Slices;
  readonly raftLoop: () => RaftLoop;
  readonly propose: (request: ProposedRequest, done: (error: EtcdError | undefined) => void) => void;
  /** Whether the server takes no more requests. */
  readonly isStopped: () => boolean;
  readonly onFatal: (error: Error) => void;
}

interface StopOptions {
  readonly flush: boolean;
  readonly beforeClose: () => void;
}

export class MemberStorage {
  readonly #options: MemberStorageOptions;
  readonly quota: SpaceQuota;
  readonly #sender: SnapshotSender;
  readonly #receiver: SnapshotReceiver;
  #current: Storage;
  /** Stores that were replaced and are being closed. */
  readonly #retiring = new Set<Promise<void>>();

  constructor(options: MemberStorageOptions) {
    this.#options = options;
    const { stores, store } = options.parts;
    this.#current = this.#makeStorage(stores.current, store);
    this.#sender = this.#makeSender();
    this.#receiver = this.#makeReceiver();
    this.quota = this.#makeQuota();
  }

  #makeQuota(): SpaceQuota {
    const { parts, propose } = this.#options;
    const { settings, cluster, logger } = parts;
    return new SpaceQuota({
      quotaBytes: quotaBytes(settings),
      usedBytes: () => this.#current.backend.sizes().inUseBytes + this.#current.store.overlayBytes,
      localId: cluster.localId,
      logger: logger.at("server/space-quota.ts"),
      propose,
    });
  }

  #makeStorage(backend: Backend, store: MvccStore): Storage {
    const { parts, slices, raftLoop, onFatal } = this.#options;
    const { settings, clock, logger, metrics, node, wal, peers } = parts;
    return new Storage({
      backend,
      store,
      wal,
      node,
      clock,
      logger,
      metrics,
      limits: settings.storeLimits,
      snapshotCount: settings.snapshotCount,
      logBytesMax: settings.logBytesMax,
      keepWalSegments: settings.keepWalSegments,
      compactionPace: settings.compactionPace,
      runSteps: (steps, done, failed, isCancelled) => slices.run(steps, done, failed, isCancelled),
      onFull: () => peers.pauseAppends(),
      onRoom: () => {
        peers.resumeAppends();
        raftLoop().flush();
      },
      onFatal,
    });
  }

  #makeSender(): SnapshotSender {
    const { parts, raftLoop } = this.#options;
    const { clock, logger, peers } = parts;
    return new SnapshotSender({
      open: (reader) => this.openSnapshot(reader),
      peers,
      logger: logger.at("server/snapshot/send-snapshot.ts"),
      monotonicMs: () => clock.monotonicMs(),
      report: (to, ok) => raftLoop().tell((node) => node.reportSnapshot(to, ok)),
    });
  }

  #makeReceiver(): SnapshotReceiver {
    const { parts, raftLoop } = this.#options;
    const { clock, logger, node, stores } = parts;
    return new SnapshotReceiver({
      stores,
      node,
      logger: logger.at("server/snapshot/receive-snapshot.ts"),
      monotonicMs: () => clock.monotonicMs(),
      holdTrimmer: () => this.#current.trimmer.hold(),
      step: (message) => {
        raftLoop().receive(message);
        raftLoop().process();
      },
    });
  }

  /** The storage in use. */
  get current(): Storage {
    return this.#current;
  }

  /** The store as etcd's database file. */
  openSnapshot(reader: SnapshotReader): Promise<DatabaseSnapshot> {
    if (this.#options.isStopped()) return Promise.reject(errors.stopped());
    return this.#current.snapshots.open(reader);
  }

  /** Sends the whole store to another member: what Raft asks for with a message of that type. */
  send(message: Message): void {
    this.#sender.send(message);
  }

  /** Resolves when the file is no longer needed; rejects when it could not be used. */
  async receive(snapshot: IncomingSnapshot): Promise<void> {
    // The next store takes the place of the one that was replaced last.
    await Promise.all(this.#retiring);
    if (this.#options.isStopped()) throw errors.stopped();
    return this.#receiver.receive(snapshot);
  }

  /** Raft has taken a snapshot that was received. */
  accept(mark: SnapshotMark): void {
    this.#receiver.accept(mark);
  }

  /**
   * Puts the store of a leader's snapshot in the place of this member's, while nothing is applied, and closes the replaced
   * one behind everything else. Calls `inUse` in the same instant in which the new one is in use; not at all if the server
   * was stopped before.
   */
  async replace(inUse: (store: MvccStore) => void): Promise<void> {
    const { parts, slices, isStopped } = this.#options;
    const { stores, lessor, cluster, alarms, auth, settings } = parts;
    const old = this.#current;
    await old.halt();
    parts.peers.resumeAppends();
    if (isStopped()) return;
    stores.useNext();
    const { current: backend } = stores;
    const store = new MvccStore({ backend, leases: lessor, cacheBytes: settings.cacheBytes });
    const steps = loadState(store, { cluster, alarms, lessor, auth });
    await new Promise<void>((resolve, reject) => slices.run(steps, resolve, reject, () => false));
    this.#current = this.#makeStorage(backend, store);
    inUse(store);
    this.#retire(old);
  }

  /** Watchers have the new store as well: the snapshot counts as installed. */
  installed(): void {
    this.#receiver.installed();
  }

  #retire(old: Storage): void {
    const { stores, logger } = this.#options.parts;
    const retired = old
      .retire()
      .then(() => stores.removeOld())
      .catch((error: Error) => logger.warn("failed to remove the replaced store", { error: error.message }))
      .finally(() => this.#retiring.delete(retired));
    this.#retiring.add(retired);
  }

  /** Closes log and stores. With `flush`, what was applied is on disk before. `beforeClose` is called when that is done:
   * nothing may be applied any more. */
  async stop({ flush, beforeClose }: StopOptions): Promise<void> {
    const { wal, stores } = this.#options.parts;
    await this.#current.stop({ flush });
    beforeClose();
    await wal.close();
    await Promise.all(this.#retiring);
    await stores.dropNext();
    await this.#current.backend.close();
  }
}
