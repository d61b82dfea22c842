/** Which versions the members of a cluster have. */
import { formatId, type Member } from "../../../membership/member.ts";
import type { Versions } from "../contracts.ts";
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
