/** Every limit of the traffic between members, with etcd's number where etcd has one. */
import { defaultHttp1Limits, type Http1Limits } from "./http1/limits.ts";

export interface PeerLimits {
  /** Messages, and their bytes, that wait for one stream. Beyond that messages are dropped, and Raft is told. */
  readonly streamMessages: number;
  readonly streamBytes: number;
  /** Messages that wait for one member's pipeline, and posts of them at a time. */
  readonly pipelineMessages: number;
  readonly pipelinePosts: number;
  /** Messages that are encoded together, in bytes; one larger than this goes alone. */
  readonly batchBytes: number;
  /** What is handed to a socket at once: a heartbeat on the same connection waits for no more than this. */
  readonly writeBytes: number;
  /** A message from another member, and entries in it. */
  readonly messageBytes: number;
  readonly messageEntries: number;
  /** The head of a snapshot post: metadata and etcd's old description of the members. */
  readonly snapshotMessageBytes: number;
  /** Snapshots on their way out, to all members together; and on their way in. */
  readonly snapshotsSending: number;
  readonly snapshotsReceiving: number;
  /** Members that we know from their requests only. */
  readonly remotes: number;
  /** Connections to the members' port. */
  readonly connections: number;
  /** A stream on which nothing comes for so long is given up (`--raft-read-timeout`; etcd: 5 s). */
  readonly streamTimeoutMs: number;
  /** One on which nothing can be written for so long (`--raft-write-timeout`; etcd: 5 s). */
  readonly streamStallTimeoutMs: number;
  /** A stream gets a sign of life this often. */
  readonly linkHeartbeatMs: number;
  /** Waits before a stream is dialled again: the first, and the longest; each is twice the one before. */
  readonly redialMinMs: number;
  readonly redialMaxMs: number;
  readonly postTimeoutMs: number;
  /** A member that gets a snapshot may take nothing for so long, and after the last byte needs so long to keep it. */
  readonly snapshotStallTimeoutMs: number;
  readonly snapshotResponseTimeoutMs: number;
  /** How often the round trip to a member is measured. */
  readonly probeIntervalMs: number;
  /** What was measured is told after so long the first time, and while something is wrong; else less often. */
  readonly probeReportMs: number;
  /** A lease's keep-alive that was passed on waits so long for this member to catch up (etcd: 1 s). */
  readonly leaseWaitMs: number;
  /** Bodies of small requests and answers. */
  readonly smallBodyBytes: number;
  readonly leaseAnswerBytes: number;
  readonly http: Http1Limits;
}

const mib = 1024 * 1024;

export const defaultPeerLimits: PeerLimits = {
  streamMessages: 4096,
  streamBytes: 64 * mib,
  pipelineMessages: 64,
  pipelinePosts: 4,
  batchBytes: 64 * 1024,
  writeBytes: 256 * 1024,
  messageBytes: 64 * mib,
  messageEntries: 256 * 1024,
  snapshotMessageBytes: 64 * mib,
  snapshotsSending: 16,
  snapshotsReceiving: 4,
  remotes: 128,
  connections: 4096,
  streamTimeoutMs: 5_000,
  streamStallTimeoutMs: 5_000,
  linkHeartbeatMs: 5_000 / 3,
  redialMinMs: 100,
  redialMaxMs: 1_000,
  postTimeoutMs: 5_000,
  snapshotStallTimeoutMs: 60_000,
  snapshotResponseTimeoutMs: 300_000,
  probeIntervalMs: 4_000,
  probeReportMs: 5_000,
  leaseWaitMs: 1_000,
  smallBodyBytes: 64 * 1024,
  leaseAnswerBytes: 100 * mib,
  http: defaultHttp1Limits,
};
