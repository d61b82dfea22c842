/** What a server needs of the other members, made from the transport between them. */
import { EtcdError } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import { parseEtcdUrl } from "../../lib/etcd-url.ts";
import type { LeaseId, MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Member } from "../../membership/member.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import type { ClusterFinder } from "../../server/members/join-cluster.ts";
import type { LeaseTimes, OutgoingSnapshot, Peers } from "../../server/peers.ts";
import { fetchHash } from "../../transport/peer/hash-client.ts";
import { HttpClient } from "../../transport/peer/http1/client.ts";
import type { TlsSource } from "../../transport/peer/http1/dial.ts";
import { type AskOptions, fetchCluster, parseMembers } from "../../transport/peer/join/remote-cluster.ts";
import { fetchVersions } from "../../transport/peer/join/remote-versions.ts";
import { renewAtLeader, timeToLiveAtLeader } from "../../transport/peer/lease-client.ts";
import { defaultPeerLimits } from "../../transport/peer/limits.ts";
import type { PeerTransport } from "../../transport/peer/peer-transport.ts";

/** How long a member may take to say its version, or to answer what only a leader can. */
const askTimeoutMs = 5_000;
/** How long it may take to hash all its data: with millions of keys it does take a while, between everything else. */
const hashTimeoutMs = 60_000;

export type ResolveHost = (hostname: string) => Promise<string>;

export interface FinderOptions {
  readonly dialTimeoutMs: number;
  readonly resolve: ResolveHost;
  readonly tls: TlsSource | undefined;
  /** To connect from; the system chooses without it. */
  readonly localAddress: string | undefined;
}

/** What a member that starts asks the others, before it is one of them. */
export function clusterFinder(logger: Logger, options: FinderOptions): ClusterFinder {
  const { dialTimeoutMs, resolve, tls, localAddress } = options;
  const ask = async <T>(timeoutMs: number, question: (asking: AskOptions) => Promise<T>): Promise<T> => {
    const { http: limits } = defaultPeerLimits;
    const client = new HttpClient({ clock: systemClock, limits, dialTimeoutMs, tls, localAddress });
    try {
      return await question({ client, logger, timeoutMs });
    } finally {
      client.close();
    }
  };
  return {
    cluster: async (peerUrls, timeoutMs) => {
      const found = await ask(timeoutMs, (asking) => fetchCluster(peerUrls, asking));
      return { id: found.clusterId, members: found.members };
    },
    versions: (member, timeoutMs) => ask(timeoutMs, (asking) => versionsOf(member, asking)),
    sameUrls: async (a, b) => {
      const [left, right] = await Promise.all([resolved(a, resolve), resolved(b, resolve)]);
      return left.length === right.length && left.every((url, i) => url === right[i]);
    },
  };
}

/** URLs with their host names as addresses, sorted: two lists that mean the same are then equal. */
async function resolved(urls: readonly string[], resolve: ResolveHost): Promise<string[]> {
  const all = urls.map(async (text) => {
    const { scheme, hostname, port, href } = parseEtcdUrl(text);
    return hostname === "" ? href : `${scheme}://${await resolve(hostname)}:${port}`;
  });
  return (await Promise.all(all)).sort();
}

async function versionsOf(member: Member, options: AskOptions) {
  const versions = await fetchVersions(member, options);
  if (!versions) throw new Error(`member ${member.name} does not tell its version`);
  return { server: versions.etcdserver, cluster: versions.etcdcluster };
}

/** The server's view of the transport. */
export function peersOf(transport: PeerTransport, logger: Logger): Peers {
  const asking = { client: transport.client, logger, timeoutMs: askTimeoutMs };
  const { clusterId } = transport.local;
  const hashing = { client: transport.client, clusterId, timeoutMs: hashTimeoutMs };
  return {
    send: (messages) => transport.send(messages),
    sendSnapshot: (snapshot, done) => sendSnapshot(transport, snapshot, done),
    add: ({ id, peerUrls }) => {
      if (transport.peer(id)) transport.updatePeer(id, peerUrls);
      else transport.addPeer(id, peerUrls);
    },
    remove: (id) => transport.removePeer(id),
    pauseAppends: () => transport.pauseAppends(),
    resumeAppends: () => transport.resumeAppends(),
    activeSinceMs: (id) => transport.activeSince(id),
    versions: (member) => versionsOf(member, asking),
    hashKv: (_member, url, revision) => fetchHash(url, revision, hashing),
    renewLease: (leader, id) => renewLease(transport, leader, id),
    leaseTimes: (leader, id, withKeys) => leaseTimes(transport, leader, id, withKeys),
    promote: (leader, id) => promote(transport, leader, id),
  };
}

function sendSnapshot(
  transport: PeerTransport,
  { message, totalBytes, chunks, close }: OutgoingSnapshot,
  done: (ok: boolean) => void,
): void {
  const opened = {
    snapshot: message.snapshot!,
    sizeBytes: totalBytes,
    chunks: withoutPauses(chunks),
    close: async () => close(),
  };
  transport.sendSnapshot(message, opened, done);
}

/** A pause in the steps is a turn of the event loop. */
async function* withoutPauses(chunks: Iterable<Uint8Array | undefined>): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk) yield chunk;
    else await new Promise<void>((resolve) => systemClock.nextTurn(resolve));
  }
}

function forwarding(transport: PeerTransport, leader: Member) {
  const url = leader.peerUrls[0];
  if (url === undefined) throw errors.noLeader();
  return {
    client: transport.client,
    url: parseEtcdUrl(url),
    timeoutMs: askTimeoutMs,
    maxBodyBytes: transport.limits.leaseAnswerBytes,
  };
}

async function renewLease(transport: PeerTransport, leader: Member, id: LeaseId): Promise<number> {
  const answer = await renewAtLeader(id, forwarding(transport, leader));
  if (answer === "not found") throw errors.leaseNotFound();
  if (answer === "behind") throw errors.timeoutWaitAppliedIndex();
  return answer;
}

async function leaseTimes(
  transport: PeerTransport,
  leader: Member,
  id: LeaseId,
  withKeys: boolean,
): Promise<LeaseTimes> {
  const answer = await timeToLiveAtLeader(id, withKeys, forwarding(transport, leader));
  if (answer === "not found") throw errors.leaseNotFound();
  if (answer === "behind") throw errors.timeoutWaitAppliedIndex();
  const { grantedTtlSeconds, ttlSeconds, keys } = answer;
  return { grantedTtlSeconds, remainingSeconds: ttlSeconds, keys };
}

/** The path under which members have the leader promote a learner, as in etcd. */
export const promotePath = "/members/promote/";

/** What the leader may refuse a promotion with. */
const promoteRefusals = [errors.learnerNotReady, errors.memberNotLearner, errors.memberNotFound];

async function promote(transport: PeerTransport, leader: Member, id: MemberId): Promise<Member[]> {
  const { client, url, timeoutMs, maxBodyBytes } = forwarding(transport, leader);
  const request = { method: "POST", path: `${promotePath}${id}`, headers: {} };
  const response = await client.request(url, request, { timeoutMs, maxBodyBytes });
  const text = new TextDecoder().decode(response.body).trim();
  if (response.status === 200) return parseMembers(text);
  const known = promoteRefusals.find((refusal) => text.includes(withoutPrefix(refusal.text)));
  throw known ? known() : new EtcdError(errors.noLeader.code, `promotion failed: ${text.slice(0, 200)}`);
}

/** Members say "membership: …" or "etcdserver: …" for the same thing. */
const withoutPrefix = (text: string): string => text.slice(text.indexOf(": ") + 2);
