/** Which versions the members of a cluster have, and whether this one can be among them. */
import type { MemberId } from "../../../lib/ids.ts";
import type { Logger } from "../../../lib/logger.ts";
import { formatId, type Member } from "../../../membership/member.ts";
import type { Versions } from "../contracts.ts";
import { compareMinor, type MajorMinor, parseVersion } from "../version.ts";
import { type AskOptions, ask, textOf } from "./remote-cluster.ts";

/** What one member says; undefined if none of its URLs answers. */
export async function fetchVersions(member: Member, options: AskOptions): Promise<Versions | undefined> {
  const logger = options.logger.at("transport/peer/join/remote-versions.ts");
  for (const url of member.peerUrls) {
    const fields = { address: `${url}/version`, "remote-member-id": formatId(member.id) };
    try {
      return parseVersions(textOf(await ask(url, "/version", options)));
    } catch (error) {
      logger.warn("failed to reach the peer URL", { ...fields, error: (error as Error).message });
    }
  }
  logger.warn("failed to get version", { "remote-member-id": formatId(member.id) });
  return undefined;
}

/** The versions of all `members` but the local one. */
export async function fetchAllVersions(
  members: readonly Member[],
  localId: MemberId,
  options: AskOptions,
): Promise<Map<MemberId, Versions | undefined>> {
  const others = members.filter(({ id }) => id !== localId);
  const versions = await Promise.all(others.map((member) => fetchVersions(member, options)));
  return new Map(others.map(({ id }, i) => [id, versions[i]]));
}

/** Whether a downgrade is under way; false if no other member knows. */
export async function fetchDowngradeEnabled(
  members: readonly Member[],
  localId: MemberId,
  options: AskOptions,
): Promise<boolean> {
  const logger = options.logger.at("transport/peer/join/remote-versions.ts");
  for (const member of members.filter(({ id }) => id !== localId)) {
    for (const url of member.peerUrls) {
      try {
        const text = textOf(await ask(url, "/downgrade/enabled", options)).trim();
        if (text === "true" || text === "false") return text === "true";
        throw new Error(`malformed answer ${JSON.stringify(text.slice(0, 100))}`);
      } catch (error) {
        logger.warn("failed to get downgrade enabled status", {
          "remote-member-id": formatId(member.id),
          error: (error as Error).message,
        });
      }
    }
  }
  return false;
}

/** Cluster versions that a member of `server` (`3.7.3`) can join, both included. */
export function joinableVersions(
  server: string,
  minCluster: string,
  downgradeEnabled: boolean,
): { readonly min: MajorMinor; readonly max: MajorMinor } {
  const own = parseVersion(server)!;
  if (!downgradeEnabled) return { min: parseVersion(minCluster)!, max: own };
  // While a cluster is taken down a version, its older members see one that is newer than they are.
  const next = { major: own.major, minor: own.minor + 1 };
  return { min: next, max: next };
}

/** At least one other member has a cluster version in the range, and none has one outside: some may be down. */
export function isCompatible(
  versions: ReadonlyMap<MemberId, Versions | undefined>,
  range: { readonly min: MajorMinor; readonly max: MajorMinor },
  logger: Logger,
): boolean {
  let found = false;
  for (const [id, version] of versions) {
    if (version === undefined) continue;
    const fields = {
      "remote-member-id": formatId(id),
      "remote-member-cluster-version": version.etcdcluster,
    };
    const cluster = parseVersion(version.etcdcluster);
    if (cluster === undefined) {
      logger.warn("failed to parse cluster version of remote member", fields);
      continue;
    }
    const tooLow = compareMinor(cluster, range.min) < 0;
    if (tooLow || compareMinor(cluster, range.max) > 0) {
      const how = tooLow ? "too low" : "too high";
      logger.warn(`cluster version of remote member is not compatible; ${how}`, fields);
      return false;
    }
    found = true;
  }
  return found;
}

function parseVersions(text: string): Versions {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null) throw new Error("malformed versions");
  const { etcdserver, etcdcluster, storage } = parsed as Record<string, unknown>;
  return {
    etcdserver: typeof etcdserver === "string" ? etcdserver : "",
    etcdcluster: typeof etcdcluster === "string" ? etcdcluster : "",
    storage: typeof storage === "string" ? storage : "",
  };
}
