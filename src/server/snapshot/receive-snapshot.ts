/**
 * Takes a leader's snapshot: fills the next store from the file that came with it, makes that durable, and only then tells
 * Raft. What Raft then wants installed is there already, so between the mark in the log and the new store in use there
 * is nothing that can fail; and a crash in between is made good at the next start (see bootstrap.ts).
 */

import type { DatabaseFile } from "../../bbolt/database-file.ts";
import { assert } from "../../lib/assert.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import type { Logger } from "../../lib/logger.ts";
import type { SnapshotMark } from "../../lib/raft-entry.ts";
import type { Message } from "../../lib/raft-message.ts";
import { confStateRow } from "../../membership/conf-state-row.ts";
import { formatId } from "../../membership/member.ts";
import type { RawNode } from "../../raft/raw-node.ts";
import { importDatabase } from "./import-database.ts";
import type { StoreSlots } from "./store-slots.ts";

export interface IncomingSnapshot {
  /** Raft's MsgSnap. */
  readonly message: Message;
  /** Opens the database file, which is complete and was checked against its checksum, if it has one. */
  open(): Promise<DatabaseFile>;
}

export interface SnapshotReceiverOptions {
  readonly stores: StoreSlots;
  readonly node: RawNode;
  readonly logger: Logger;
  readonly monotonicMs: () => number;
  /** Resolves when no snapshot of this member's own is being noted in the log; none is until it is released. */
  readonly holdTrimmer: () => Promise<() => void>;
  /** Gives Raft the message and carries out at once what comes of it. */
  readonly step: (message: Message) => void;
}

export class SnapshotReceiver {
  readonly #options: SnapshotReceiverOptions;
  /** One at a time, until it is installed or dropped. */
  #busy = false;
  /** What the next store was filled with, while Raft decides about it. */
  #offered: SnapshotMark | undefined;
  #accepted = false;

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  /** Resolves when Raft has been told, whatever it makes of it. Rejects when the file cannot be used, or another snapshot is
   * under way. */
  async receive({ message, open }: IncomingSnapshot): Promise<void> {
    const { node, logger, stores, step } = this.#options;
    const mark = message.snapshot?.metadata;
    if (mark === undefined) throw new Error("a snapshot without metadata");
    if (this.#busy) throw new Error("another snapshot is being installed");
    const fields = { from: formatId(message.from), "snapshot-index": mark.index };
    if (mark.index <= node.commitIndex) {
      logger.info("ignored a snapshot that has nothing new", fields);
      step(message);
      return;
    }
    this.#busy = true;
    this.#accepted = false;
    try {
      logger.info("receiving database snapshot", fields);
      await this.#fill(mark, open);
      await this.#offer(message, mark);
    } finally {
      if (!this.#accepted) {
        // What cannot be removed now is removed before the next store is made.
        await stores.dropNext().finally(() => {
          this.#busy = false;
        });
      }
    }
  }

  /** Raft wants this snapshot: it is about to be noted in the log, and then installed. */
  accept(mark: SnapshotMark): void {
    const offered = this.#offered;
    const isOffered = offered?.index === mark.index && offered.term === mark.term;
    assert(isOffered, `server: raft wants snapshot ${mark.index}, which did not come`);
    this.#accepted = true;
  }

  /** What was accepted is the store in use now. */
  installed(): void {
    this.#busy = false;
  }

  async #fill(mark: SnapshotMark, open: () => Promise<DatabaseFile>): Promise<void> {
    const { stores, logger, monotonicMs } = this.#options;
    const startMs = monotonicMs();
    const file = await open();
    try {
      const next = await stores.makeNext();
      const rows = [confStateRow(mark.confState)];
      const { versions } = await importDatabase(file, next, { index: mark.index, term: mark.term, rows });
      await next.sync();
      await stores.completeNext();
      const took = formatGoDuration(monotonicMs() - startMs);
      logger.info("received database snapshot", { "snapshot-index": mark.index, versions, took });
    } finally {
      await file.close();
    }
  }

  async #offer(message: Message, mark: SnapshotMark): Promise<void> {
    const { holdTrimmer, step } = this.#options;
    // A mark of this member's own, older than this one, must not come behind it in the log.
    const release = await holdTrimmer();
    this.#offered = mark;
    try {
      step(message);
    } finally {
      this.#offered = undefined;
      if (!this.#accepted) release();
    }
  }
}
