/** A member that joins a cluster asks it who is in it, and finds itself there by its peer URLs. */
import { errors } from "../../errors/table.ts";
import type { ClusterId, MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import { compareIds, formatId, type Member } from "../../membership/member.ts";
import { BootstrapError } from "../bootstrap-error.ts";
import type { MemberVersions } from "../peers.ts";
import { clusterVersion } from "../versions.ts";

/** What a starting member asks others, before it is one of them. */
export interface ClusterFinder {
  /** The cluster, as the first of these members tells it that answers. Rejects when none does; the message says so in etcd's
   * words. */
  cluster(
    peerUrls: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly id: ClusterId; readonly members: readonly Member[] }>;
  /** Rejects when the member cannot be asked. */
  versions(member: Member, timeoutMs: number): Promise<MemberVersions>;
  /** Whether two lists of peer URLs mean the same addresses. */
  sameUrls(a: readonly string[], b: readonly string[]): Promise<boolean>;
}

export interface JoinOptions {
  readonly finder: ClusterFinder;
  readonly logger: Logger;
  readonly name: string;
  /** `--initial-cluster`. */
  readonly urlsByName: ReadonlyMap<string, readonly string[]>;
  readonly maxLearners: number;
  readonly timeoutMs: number;
}

export interface JoinedCluster {
  readonly id: ClusterId;
  readonly localId: MemberId;
  /** As the cluster tells them, with names and client URLs. */
  readonly members: readonly Member[];
}

/** etcd asks each member for so long. */
const fetchTimeoutMs = 10_000;
/** The oldest cluster that this version can be in. */
const minClusterVersion = "3.0.0";

/** Rejects with a BootstrapError in etcd's words. */
export async function joinCluster(options: JoinOptions): Promise<JoinedCluster> {
  const { finder, name, urlsByName, maxLearners } = options;
  const existing = await finder.cluster(otherUrls(urlsByName, name), fetchTimeoutMs).catch((error: Error) => {
    throw new BootstrapError(`cannot fetch cluster info from peer urls: ${error.message}`);
  });
  const members = [...existing.members].sort((a, b) => compareIds(a.id, b.id));
  const names = await matchByUrls(options, existing.id, members);
  const localId = [...names].find(([, known]) => known === name)?.[0];
  if (localId === undefined) {
    throw new BootstrapError(`couldn't find local name "${name}" in the initial cluster configuration`);
  }
  await checkVersions(options, members, localId);
  if (members.filter(({ isLearner }) => isLearner).length > maxLearners) {
    throw new BootstrapError(errors.tooManyLearners.text.replace("etcdserver", "membership"));
  }
  return { id: existing.id, localId, members };
}

/** Whether a member of a new cluster has been part of it before: then its data is lost, and it must not begin anew. */
export async function wasBootstrapped(
  { finder, name, urlsByName }: JoinOptions,
  localId: MemberId,
  timeoutMs: number,
): Promise<boolean> {
  const others = otherUrls(urlsByName, name);
  if (others.length === 0) return false;
  try {
    const { members } = await finder.cluster(others, timeoutMs);
    return members.some(({ id, clientUrls }) => id === localId && clientUrls.length > 0);
  } catch {
    return false;
  }
}

export function otherUrls(urlsByName: ReadonlyMap<string, readonly string[]>, name: string): string[] {
  return [...urlsByName]
    .filter(([other]) => other !== name)
    .flatMap(([, urls]) => urls)
    .sort();
}

/** The names of `--initial-cluster` by the ids that the cluster knows. */
async function matchByUrls(
  { finder, urlsByName }: JoinOptions,
  clusterId: ClusterId,
  members: readonly Member[],
): Promise<Map<MemberId, string>> {
  const fail = (why: string): never => {
    const known = members.map((member) => describe(member)).join(" ");
    throw new BootstrapError(
      `error validating peerURLs {ClusterID:${formatId(clusterId)} Members:[${known}] RemovedMemberIDs:[]}: ${why}`,
    );
  };
  if (members.length !== urlsByName.size) fail("member count is unequal");
  const names = new Map<MemberId, string>();
  for (const member of members) {
    for (const [name, urls] of urlsByName) {
      if (await finder.sameUrls(member.peerUrls, urls)) names.set(member.id, name);
    }
    if (!names.has(member.id)) {
      fail(
        `PeerURLs: no match found for existing member (${formatId(member.id)}, [${member.peerUrls.join(" ")}]), last resolver error`,
      );
    }
  }
  return names;
}

/** As Go prints it. */
function describe({ id, peerUrls, isLearner, name, clientUrls }: Member): string {
  const raft = `RaftAttributes:{PeerURLs:[${peerUrls.join(" ")}] IsLearner:${isLearner}}`;
  return `&{ID:${formatId(id)} ${raft} Attributes:{Name:${name} ClientURLs:[${clientUrls.join(" ")}]}}`;
}

/** At least one member has to be there whose cluster speaks a version that this one can speak, and none another. */
async function checkVersions(
  { finder, logger, timeoutMs }: JoinOptions,
  members: readonly Member[],
  localId: MemberId,
): Promise<void> {
  const others = members.filter(({ id }) => id !== localId);
  const answers = await Promise.all(
    others.map((member) => finder.versions(member, timeoutMs).catch(() => undefined)),
  );
  let compatible = false;
  for (const [at, answer] of answers.entries()) {
    if (answer === undefined || !/^\d+\.\d+\.\d+$/.test(answer.cluster)) continue;
    const low = isOlder(answer.cluster, minClusterVersion);
    if (low || isOlder(clusterVersion, answer.cluster)) {
      logger.warn(`cluster version of remote member is not compatible; too ${low ? "low" : "high"}`, {
        "remote-member-id": formatId(others[at]!.id),
        "remote-member-cluster-version": answer.cluster,
      });
      throw new BootstrapError("incompatible with current running cluster");
    }
    compatible = true;
  }
  if (!compatible) throw new BootstrapError("incompatible with current running cluster");
}

function isOlder(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (const [at, part] of left!.entries()) {
    if (part !== right![at]) return part < right![at]!;
  }
  return false;
}
