/**
 * Linearizable reads without a log entry (dissertation 6.4): the commit index of now, given out once it is certain
 * that this member led the cluster at a moment after the read was asked for.
 */
import { type MemberId, noMember, type RaftIndex } from "../../lib/ids.ts";
import { EntryType } from "../../lib/raft-entry.ts";
import { type Message, MessageType } from "../../lib/raft-message.ts";
import type { Raft } from "../raft.ts";
import type { PendingRead } from "../read-only.ts";

/** Takes a read request from this member or a follower. False when too many are waiting. */
export function requestRead(raft: Raft, request: Message): boolean {
  if (request.entries.length !== 1) return true;
  if (raft.earlyReads.length + raft.readOnly.pending >= raft.config.maxPendingReads) return false;
  const { log } = raft;
  // Until it has committed an entry of its own term a leader does not know what is committed (6.4, step 1). That
  // goes for a sole voter as well: its commit index on disk may lag behind what it had acknowledged.
  if (!log.matches(log.committed, raft.term)) {
    raft.earlyReads.push(request);
    return true;
  }
  startRead(raft, request);
  return true;
}

/** The first entry of the term is committed: the reads that waited for it may start. */
export function releaseEarlyReads(raft: Raft): void {
  if (raft.earlyReads.length === 0) return;
  const requests = raft.earlyReads;
  raft.earlyReads = [];
  for (const request of requests) startRead(raft, request);
}

function startRead(raft: Raft, request: Message): void {
  const read: PendingRead = {
    from: request.from,
    context: request.entries[0]!.data,
    index: raft.log.committed,
  };
  const alone = raft.tracker.isSingleton && raft.tracker.config.voters[0] === raft.id;
  if (alone || leaseIsValid(raft)) {
    answerRead(raft, read);
    return;
  }
  raft.readOnly.add(read);
  raft.readOnly.acknowledge(raft.id, raft.readOnly.newest);
  raft.readRoundOwed = true;
}

/** `from` still took this member for its leader when it answered a heartbeat that carried `newestRead`. */
export function confirmReads(raft: Raft, from: MemberId, newestRead: number): void {
  const { readOnly, tracker } = raft;
  if (readOnly.pending === 0) return;
  readOnly.acknowledge(from, newestRead);
  const confirmed = tracker.quorumOf((id) => readOnly.ackOf(id));
  for (const read of readOnly.take(confirmed)) answerRead(raft, read);
}

function answerRead(raft: Raft, { from, context, index }: PendingRead): void {
  if (from === noMember || from === raft.id) {
    raft.readStates.push({ index, context });
    return;
  }
  const zero = 0 as RaftIndex;
  const entry = { type: EntryType.normal, term: raft.term, index: zero, data: context };
  raft.send({ type: MessageType.readIndexResp, to: from, index, entries: [entry] });
}

/**
 * Whether a quorum is still bound by its promise to vote for nobody (6.4.1). The promise of a member runs for an
 * election timeout from when it got a heartbeat, so counting from when that heartbeat was sent is safe; one tick is
 * taken off because two members' ticks may fall up to one apart, and the margin for clocks of different rates.
 * Handing leadership over ignores the promises, so after an attempt there is no lease in this term.
 */
export function leaseIsValid(raft: Raft): boolean {
  const { readMode, electionTicks, leaseMarginTicks } = raft.config;
  if (readMode !== "lease" || raft.transferAttempted) return false;
  const { progress } = raft.tracker;
  const start = raft.tracker.quorumOf((id) =>
    id === raft.id ? raft.ticks : (progress.get(id)?.leaseTick ?? Number.NEGATIVE_INFINITY),
  );
  return raft.ticks - start < electionTicks - 1 - leaseMarginTicks;
}

/** What a heartbeat carries and its answer brings back: which reads it confirms, and when it was sent. */
export function heartbeatContext(newestRead: number, tick: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, newestRead);
  view.setFloat64(8, tick);
  return bytes;
}

/** Undefined for a context that this member did not make. */
export function readHeartbeatContext(context: Uint8Array): { newestRead: number; tick: number } | undefined {
  if (context.length !== 16) return undefined;
  const view = new DataView(context.buffer, context.byteOffset, 16);
  return { newestRead: view.getFloat64(0), tick: view.getFloat64(8) };
}
