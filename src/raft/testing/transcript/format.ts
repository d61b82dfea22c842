/**
 * How transcripts show messages, entries, Readys and members.
 */
import { type Entry, EntryType } from "../../../lib/raft-entry.ts";
import { type Message, MessageType } from "../../../lib/raft-message.ts";
import { describeConfChange } from "../../confchange/types.ts";
import { confChangeOf } from "../../confchange/wire.ts";
import { messageName } from "../../message.ts";
import type { Ready } from "../../ready.ts";
import { describeConfig } from "../../reconfigure.ts";
import { toText } from "../machine.ts";
import type { TestMember } from "../member.ts";

/** `2/7 "x"`, or `2/7 v4` for a change of the configuration. */
export function formatEntry(entry: Entry): string {
  const what =
    entry.type === EntryType.normal
      ? JSON.stringify(toText(entry.data))
      : describeConfChange(confChangeOf(entry)!);
  return `${entry.term}/${entry.index} ${what}`;
}

const formatEntries = (entries: readonly Entry[]) => `[${entries.map(formatEntry).join(", ")}]`;

/** `1>2 MsgApp term=1 after=1/3 commit=2 [1/4 "x"]`. */
export function formatMessage(message: Message): string {
  const term = message.term === 0 ? "" : ` term=${message.term}`;
  const detail = formatDetail(message);
  const route = `${message.from}>${message.to}`;
  return `${route} ${messageName(message.type)}${term}${detail === "" ? "" : ` ${detail}`}`;
}

function formatDetail(message: Message): string {
  const { index, logTerm, commit, entries, reject, rejectHint, context } = message;
  switch (message.type) {
    case MessageType.app:
      return `after=${logTerm}/${index} commit=${commit} ${formatEntries(entries)}`;
    case MessageType.appResp:
      return reject ? `refused=${index} hint=${logTerm}/${rejectHint}` : `index=${index}`;
    case MessageType.vote:
    case MessageType.preVote:
      return `last=${logTerm}/${index}${context.length > 0 ? ` ${toText(context)}` : ""}`;
    case MessageType.voteResp:
    case MessageType.preVoteResp:
      return reject ? `refused committed=${logTerm}/${commit}` : "granted";
    case MessageType.snap: {
      const { metadata } = message.snapshot!;
      return `at=${metadata.term}/${metadata.index} ${describeConfig(metadata.confState)}`;
    }
    case MessageType.heartbeat:
      return `commit=${commit}${context.length > 0 ? " with context" : ""}`;
    case MessageType.heartbeatResp:
      return context.length > 0 ? "with context" : "";
    case MessageType.prop:
      return `[${entries.map((entry) => JSON.stringify(toText(entry.data))).join(", ")}]`;
    case MessageType.readIndex:
      return toText(entries[0]!.data);
    case MessageType.readIndexResp:
      return `${toText(entries[0]!.data)} index=${index}`;
    default:
      return "";
  }
}

/** One line for each thing in a Ready. */
export function formatReady(ready: Ready): string[] {
  const { softState, hardState, entries, snapshot } = ready;
  const lines: string[] = [];
  if (softState !== undefined) lines.push(`is ${softState.role}, leader ${softState.leader}`);
  for (const message of ready.messages) lines.push(`sends ${formatMessage(message)}`);
  const writes: string[] = [];
  if (snapshot !== undefined) writes.push(`snapshot ${snapshot.metadata.term}/${snapshot.metadata.index}`);
  if (entries.length > 0) writes.push(formatEntries(entries));
  if (hardState !== undefined) {
    writes.push(`term=${hardState.term} vote=${hardState.vote} commit=${hardState.commit}`);
  }
  if (writes.length > 0) lines.push(`${ready.mustSync ? "writes" : "notes"} ${writes.join(" ")}`);
  for (const entry of ready.committedEntries) lines.push(`applies ${formatEntry(entry)}`);
  for (const read of ready.readStates) lines.push(`may read ${toText(read.context)} at ${read.index}`);
  return lines.length > 0 ? lines : ["nothing"];
}

/** `1: leader term=1 leader=1 vote=1 commit=3 applied=3 last=3`. */
export function formatMember(member: TestMember): string {
  if (!member.running) return `${member.id}: down, disk last=${member.disk.lastIndex}`;
  const { node, core } = member;
  const { role, term, leader, commitIndex, appliedIndex, lastIndex } = node;
  const indexes = `commit=${commitIndex} applied=${appliedIndex} durable=${core.log.stable} last=${lastIndex}`;
  return `${member.id}: ${role} term=${term} vote=${core.vote} leader=${leader} ${indexes}`;
}

/** What a leader knows of each member. */
export function formatProgress(member: TestMember): string[] {
  return [...member.node.status().progress].map(([id, progress]) => {
    const flags = [
      progress.isLearner ? " learner" : "",
      progress.paused ? " paused" : "",
      progress.recentActive ? "" : " inactive",
      progress.pendingSnapshot > 0 ? ` snapshot=${progress.pendingSnapshot}` : "",
      progress.inflightMessages > 0 ? ` inflight=${progress.inflightMessages}` : "",
      progress.inflightFull ? " full" : "",
    ];
    return `${id}: ${progress.state} match=${progress.match} next=${progress.next}${flags.join("")}`;
  });
}
