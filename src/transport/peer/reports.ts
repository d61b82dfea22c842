/**
 * What Raft is told about lost messages. Later than it happens, because it happens within `send`, which the core's own
 * loop calls; and once for all that was lost in a turn.
 */
import type { MemberId } from "../../lib/ids.ts";
import type { PeerRaft } from "./contracts.ts";

export class Reports {
  readonly #raft: PeerRaft;
  readonly #unreachable = new Set<MemberId>();
  #snapshots: { id: MemberId; ok: boolean }[] = [];
  #isScheduled = false;
  #isStopped = false;

  constructor(raft: PeerRaft) {
    this.#raft = raft;
  }

  unreachable(id: MemberId): void {
    this.#unreachable.add(id);
    this.#schedule();
  }

  snapshot(id: MemberId, ok: boolean): void {
    this.#snapshots.push({ id, ok });
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (!this.#isStopped) this.#tell();
    });
  }

  #tell(): void {
    const unreachable = [...this.#unreachable];
    const snapshots = this.#snapshots;
    this.#unreachable.clear();
    this.#snapshots = [];
    for (const id of unreachable) this.#raft.onUnreachable(id);
    for (const { id, ok } of snapshots) this.#raft.onSnapshotStatus(id, ok);
  }
}
