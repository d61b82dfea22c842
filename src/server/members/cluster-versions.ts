/**
 * The version that the whole cluster speaks: that of its oldest member, decided by the leader, written through the log, and
 * lowered only by a downgrade. Until all members could be asked it is the oldest that can be in a cluster at all.
 */
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Cluster } from "../../membership/cluster.ts";
import { formatId, type Member } from "../../membership/member.ts";
import type { Peers } from "../peers.ts";
import { clusterVersion, etcdVersion } from "../versions.ts";
import { formatMinor, isBefore, isSame, type MinorVersion, parseVersion } from "./minor-version.ts";

/** Between two looks at what the cluster's version should be. */
const roundMs = 4_000;
const defaultDowngradeCheckMs = 5_000;
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
  /** Between two looks at whether a downgrade is done; 0 is never. */
  readonly downgradeCheckMs?: number | undefined;
  /** Tells the cluster, through the log, that its downgrade is over. */
  readonly endDowngrade: () => void;
}

export class ClusterVersions {
  readonly #options: ClusterVersionsOptions;
  #nextRoundMs = 0;
  #nextCheckMs = 0;
  #asking: Promise<(string | undefined)[]> | undefined;

  constructor(options: ClusterVersionsOptions) {
    this.#options = options;
  }

  /** This member leads now, and has applied what came before. */
  begin(): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#nextRoundMs = nowMs + roundMs;
    this.#nextCheckMs = nowMs + this.#checkMs;
    this.#decide((versions) => this.#propose(versions));
  }

  /** To be called in each tick. */
  tick(nowMs: number): void {
    const { isLeader, cluster } = this.#options;
    const { version, downgrade } = cluster;
    const [roundIsDue, checkIsDue] = [nowMs >= this.#nextRoundMs, nowMs >= this.#nextCheckMs];
    if ((!roundIsDue && !checkIsDue) || !isLeader()) return;
    if (roundIsDue) this.#nextRoundMs = nowMs + roundMs;
    if (checkIsDue) this.#nextCheckMs = nowMs + this.#checkMs;
    if (roundIsDue && (version !== clusterVersion || downgrade.enabled)) {
      this.#decide((versions) => this.#propose(versions));
    }
    if (checkIsDue && downgrade.enabled) this.#decide((versions) => this.#endDowngrade(versions));
  }

  get #checkMs(): number {
    const { downgradeCheckMs = defaultDowngradeCheckMs } = this.#options;
    return downgradeCheckMs > 0 ? downgradeCheckMs : Number.POSITIVE_INFINITY;
  }

  /** Finds the members' versions out; one question serves all who want to know meanwhile. */
  #decide(then: (versions: readonly (string | undefined)[]) => void): void {
    const { cluster } = this.#options;
    const others = cluster.members().filter(({ id }) => id !== cluster.localId);
    if (others.length === 0) {
      then([etcdVersion]);
      return;
    }
    this.#asking ??= Promise.all(others.map((member) => this.#serverVersionOf(member))).finally(() => {
      this.#asking = undefined;
    });
    void this.#asking.then((versions) => {
      if (this.#options.isLeader()) then([etcdVersion, ...versions]);
    });
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
    const { cluster, propose, logger } = this.#options;
    const { enabled, targetVersion } = cluster.downgrade;
    const target = enabled ? parseVersion(targetVersion) : undefined;
    const decided = decideClusterVersion(cluster.version, versions, target);
    if (decided === "invalid downgrade target") {
      logger.error("Failed to monitor cluster version", { error: decided });
    } else if (decided !== undefined) propose(decided);
  }

  #endDowngrade(versions: readonly (string | undefined)[]): void {
    const { cluster, logger, endDowngrade } = this.#options;
    const { enabled, targetVersion } = cluster.downgrade;
    const target = enabled ? parseVersion(targetVersion) : undefined;
    if (target === undefined || !versions.every((version) => isOf(version, target))) return;
    logger.info("the cluster has been downgraded", { "cluster-version": targetVersion });
    endDowngrade();
  }
}

/**
 * What the cluster's version should become; undefined if it should stay. `servers` are the members' own versions, `target`
 * that of a downgrade.
 */
export function decideClusterVersion(
  current: string | undefined,
  servers: readonly (string | undefined)[],
  target: MinorVersion | undefined,
): string | undefined {
  const known = servers.map((version) => (version === undefined ? undefined : parseVersion(version)));
  const oldest = known.reduce((a, b) => (a && b ? (isBefore(b, a) ? b : a) : undefined));
  if (current === undefined) return oldest === undefined ? minClusterVersion : whole(oldest);
  const now = parseVersion(current);
  if (oldest === undefined || now === undefined) return undefined;
  if (target !== undefined) {
    if (isSame(now, target)) return undefined;
    return isNext(target, now) && isNext(target, oldest) ? whole(target) : "invalid downgrade target";
  }
  return now.major === oldest.major && isBefore(now, oldest) ? whole(oldest) : undefined;
}

const isNext = (a: MinorVersion, b: MinorVersion): boolean => a.major === b.major && a.minor + 1 === b.minor;

function isOf(version: string | undefined, minor: MinorVersion): boolean {
  const parsed = version === undefined ? undefined : parseVersion(version);
  return parsed !== undefined && isSame(parsed, minor);
}

const whole = (version: MinorVersion): string => `${formatMinor(version)}.0`;
