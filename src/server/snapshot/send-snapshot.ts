/** Sends the store to a member that needs entries which are gone. Raft says to whom; every attempt is reported to it. */
import { formatGoDuration } from "../../lib/go-duration.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import { type Message, noBytes } from "../../lib/raft-message.ts";
import { formatId } from "../../membership/member.ts";
import type { Peers } from "../peers.ts";
import type { DatabaseSnapshot, SnapshotReader } from "./database-snapshot.ts";

export interface SnapshotSenderOptions {
  readonly open: (reader: SnapshotReader) => Promise<DatabaseSnapshot>;
  readonly peers: Pick<Peers, "sendSnapshot">;
  readonly logger: Logger;
  readonly monotonicMs: () => number;
  readonly report: (to: MemberId, ok: boolean) => void;
}

export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  /** `message` is Raft's MsgSnap. What is sent is the store as it is now, which may be newer than the message's mark. */
  send(message: Message): void {
    void this.#send(message);
  }

  async #send(message: Message): Promise<void> {
    const { open, peers, logger, monotonicMs, report } = this.#options;
    const startMs = monotonicMs();
    const reader = { isCancelled: () => false, onGivenUp: () => {} };
    let snapshot: DatabaseSnapshot;
    try {
      snapshot = await open(reader);
    } catch (error) {
      logger.warn("failed to take a snapshot for a member", {
        to: formatId(message.to),
        error: (error as Error).message,
      });
      report(message.to, false);
      return;
    }
    const { position, confState, totalBytes, chunks, close } = snapshot;
    const metadata = { index: position.appliedIndex, term: position.appliedTerm, confState };
    const fields = { to: formatId(message.to), bytes: totalBytes, "snapshot-index": metadata.index };
    logger.info("sending merged snapshot", fields);
    const outgoing = { message: { ...message, snapshot: { metadata, data: noBytes } }, totalBytes };
    // One that is given up throws at its next chunk, which ends the transfer.
    peers.sendSnapshot({ ...outgoing, chunks, close }, (ok) => {
      close();
      const took = formatGoDuration(monotonicMs() - startMs);
      if (ok) logger.info("sent merged snapshot", { ...fields, took });
      else logger.warn("failed to send snapshot", { ...fields, took });
      report(message.to, ok);
    });
  }
}
