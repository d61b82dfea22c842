/**
 * What a leader sends to its followers: entries, snapshots, heartbeats.
 *
 * Nothing is sent in answer to a single message. Whatever changed is noted (`appendsOwed`, `appendOwed`), and the
 * messages are made together when the next Ready is: many proposals and acknowledgements of one turn become one
 * append to each follower.
 */
import type { MemberId, RaftIndex } from "../../lib/ids.ts";
import { MessageType, noBytes, noEntries } from "../../lib/raft-message.ts";
import type { Raft } from "../raft.ts";
import type { Progress } from "../tracker/progress.ts";
import { heartbeatContext } from "./read-index.ts";

/** Makes all the messages that are owed. */
export function replicate(raft: Raft): void {
  if (raft.readRoundOwed) broadcastHeartbeat(raft);
  if (!raft.appendsOwed) return;
  raft.appendsOwed = false;
  for (const [id, progress] of raft.tracker.progress) {
    if (id !== raft.id) appendTo(raft, id, progress);
  }
}

/** Sends to every other member, in the order of ids. */
export function broadcastHeartbeat(raft: Raft): void {
  raft.readRoundOwed = false;
  const { newest } = raft.readOnly;
  const needed = newest > 0 || raft.config.readMode === "lease";
  const context = needed ? heartbeatContext(newest, raft.ticks) : noBytes;
  for (const [id, progress] of raft.tracker.progress) {
    if (id === raft.id) continue;
    // Never beyond what the follower is known to hold: its log may differ after that.
    const commit = Math.min(progress.match, raft.log.committed) as RaftIndex;
    raft.send({ type: MessageType.heartbeat, to: id, commit, context });
    progress.sentCommit = commit;
  }
}

/** One message while probing; while replicating as many as there are entries and room in the window. */
function appendTo(raft: Raft, id: MemberId, progress: Progress): void {
  for (;;) {
    if (progress.isPaused) return;
    const sent = sendAppend(raft, id, progress);
    if (!sent || progress.state !== "replicate") return;
  }
}

/** Sends one append if there is reason to. Returns whether it carried entries. */
function sendAppend(raft: Raft, to: MemberId, progress: Progress): boolean {
  const { log, config } = raft;
  const full = progress.state === "replicate" && progress.inflights.full;
  const nothing = full || progress.next > log.last;
  const news = progress.appendOwed || progress.canBumpCommit(log.committed);
  if (nothing && !news) return false;
  const prevTerm = log.term(progress.next - 1);
  if (prevTerm === undefined) return sendSnapshot(raft, to, progress);
  const slice = nothing
    ? { entries: noEntries, bytes: 0 }
    : log.entriesFrom(progress.next, config.maxMessageBytes);
  if (slice === undefined) return sendSnapshot(raft, to, progress);
  raft.send({
    type: MessageType.app,
    to,
    index: (progress.next - 1) as RaftIndex,
    logTerm: prevTerm,
    entries: slice.entries,
    commit: log.committed,
  });
  progress.appendOwed = false;
  progress.sentEntries(slice.entries.length, slice.bytes);
  progress.sentCommit = log.committed;
  return slice.entries.length > 0;
}

/** The entries that the follower needs are gone (section 7). Always false: an append did not go out. */
function sendSnapshot(raft: Raft, to: MemberId, progress: Progress): false {
  const { mark, first } = raft.log;
  // A member that is away would only find the snapshot outdated when it comes back.
  if (!progress.recentActive) return false;
  if (mark === undefined || mark.index < first - 1) return false;
  raft.config.logger.debug(`${raft.name} sends snapshot [index: ${mark.index}] to ${to.toString(16)}`);
  progress.becomeSnapshot(mark.index);
  progress.appendOwed = false;
  raft.send({ type: MessageType.snap, to, snapshot: { metadata: mark, data: noBytes } });
  return false;
}
