/**
 * The version that the whole cluster speaks: that of its oldest member, decided by the leader, written through the log,
 * and only ever raised. Until all members could be asked it is the oldest that can be in a cluster at all.
 */
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Cluster } from "../../membership/cluster.ts";
import { formatId, type Member } from "../../membership/member.ts";
import type { Peers } from "../peers.ts";
import { clusterVersion, etcdVersion } from "../versions.ts";

/** Between two rounds of questions. */
const roundMs = 4_000;
/** What a cluster is taken for whose members are not all known. */
const minClusterVersion = "3.0.0";

export interface ClusterVersionsOptions {
  readonly cluster: Cluster;
  readonly peers: Pick<Peers, "versions">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isLeader: () => boolean;
  /** Puts the version through the log. */
  readonly propose: (version: string) => void;
}

export class ClusterVersions {
  readonly #options: ClusterVersionsOptions;
  #nextRoundMs = 0;
  #asking = false;

  constructor(options: ClusterVersionsOptions) {
    this.#options = options;
  }

  /** This member leads now, and has applied what came before. */
  begin(): void {
    this.#nextRoundMs = this.#options.clock.monotonicMs() + roundMs;
    this.#decide();
  }

  /** To be called in each tick. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextRoundMs || !this.#options.isLeader()) return;
    this.#nextRoundMs = nowMs + roundMs;
    if (this.#options.cluster.version !== clusterVersion) this.#decide();
  }

  #decide(): void {
    const { cluster } = this.#options;
    const others = cluster.members().filter(({ id }) => id !== cluster.localId);
    if (others.length === 0) this.#propose([etcdVersion]);
    else if (!this.#asking) void this.#ask(others);
  }

  async #ask(others: readonly Member[]): Promise<void> {
    this.#asking = true;
    const versions = await Promise.all(others.map((member) => this.#serverVersionOf(member)));
    this.#asking = false;
    if (this.#options.isLeader()) this.#propose([etcdVersion, ...versions]);
  }

  async #serverVersionOf(member: Member): Promise<string | undefined> {
    const { peers, logger } = this.#options;
    try {
      return (await peers.versions(member)).server;
    } catch (error) {
      const fields = { "remote-member-id": formatId(member.id), error: (error as Error).message };
      logger.warn("failed to get version", fields);
      return undefined;
    }
  }

  #propose(versions: readonly (string | undefined)[]): void {
    const { cluster, propose } = this.#options;
    const decided = decideClusterVersion(cluster.version, versions, cluster.downgrade.enabled);
    if (decided !== undefined) propose(decided);
  }
}

/** What the cluster's version should become; undefined if it should stay. `servers` are the members' own versions. */
export function decideClusterVersion(
  current: string | undefined,
  servers: readonly (string | undefined)[],
  isDowngrading: boolean,
): string | undefined {
  const known = servers.map((version) => (version === undefined ? undefined : parseVersion(version)));
  const oldest = known.reduce((a, b) => (a && b ? (isBefore(b, a) ? b : a) : undefined));
  if (current === undefined) return oldest === undefined ? minClusterVersion : format(oldest);
  if (oldest === undefined || isDowngrading) return undefined;
  const now = parseVersion(current);
  if (now === undefined || now.major !== oldest.major) return undefined;
  return isBefore(now, oldest) ? format(oldest) : undefined;
}

interface Version {
  readonly major: number;
  readonly minor: number;
}

function parseVersion(text: string): Version | undefined {
  const match = /^(\d+)\.(\d+)\.\d+(?:[-+].*)?$/.exec(text);
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

const isBefore = (a: Version, b: Version): boolean =>
  a.major < b.major || (a.major === b.major && a.minor < b.minor);

const format = ({ major, minor }: Version): string => `${major}.${minor}.0`;
