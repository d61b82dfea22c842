/** What a member that joins has to know, asked from those that are there. */
import { parseEtcdUrl } from "../../../lib/etcd-url.ts";
import type { ClusterId, MemberId } from "../../../lib/ids.ts";
import type { Logger } from "../../../lib/logger.ts";
import { type Member, memberFromJson } from "../../../membership/member.ts";
import { parseId } from "../cluster-headers.ts";
import type { HttpClient } from "../http1/client.ts";
import type { HttpResponse } from "../http1/messages.ts";

export interface RemoteCluster {
  readonly clusterId: ClusterId;
  readonly members: readonly Member[];
}

export interface AskOptions {
  readonly client: HttpClient;
  readonly logger: Logger;
  /** For each URL (etcd: 10 s). */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const answerBytesMax = 4 * 1024 * 1024;

/** The cluster as the first of `urls` that answers sees it. Rejects with etcd's words if none does. */
export async function fetchCluster(urls: readonly string[], options: AskOptions): Promise<RemoteCluster> {
  const logger = options.logger.at("transport/peer/join/remote-cluster.ts");
  for (const url of urls) {
    const address = `${url}/members`;
    try {
      const response = await ask(url, "/members", options);
      const header = response.headers.get("x-etcd-cluster-id") ?? "";
      const members = parseMembers(textOf(response));
      const clusterId = parseId(header);
      if (clusterId === undefined) {
        logger.warn("failed to parse cluster ID", { address, header });
        continue;
      }
      if (members.length === 0) throw new NoMembers();
      return { clusterId: clusterId as ClusterId, members };
    } catch (error) {
      if (error instanceof NoMembers) throw error;
      logger.warn("failed to get cluster response", { address, error: (error as Error).message });
    }
  }
  throw new Error("could not retrieve cluster information from the given URLs");
}

class NoMembers extends Error {
  constructor() {
    super("failed to get raft cluster member(s) from the given URLs");
  }
}

/** A GET of one of a member's small pages. Throws unless it is answered with 200. */
export async function ask(url: string, path: string, options: AskOptions): Promise<HttpResponse> {
  const { client, timeoutMs, signal } = options;
  const response = await client.request(
    parseEtcdUrl(url),
    { method: "GET", path, headers: {} },
    { timeoutMs, maxBodyBytes: answerBytesMax, signal },
  );
  if (response.status !== 200) throw new Error(`unexpected http status ${response.status}`);
  return response;
}

export function textOf(response: HttpResponse): string {
  return new TextDecoder().decode(response.body);
}

/** etcd's list of members. Throws if it is none. */
export function parseMembers(text: string): Member[] {
  // Ids are numbers of 64 bits: as text they keep all of them. A quote within a string is escaped, so only keys match.
  const parsed: unknown = JSON.parse(text.replace(/"id":\s*(\d+)/g, '"id":"$1"'));
  if (!Array.isArray(parsed)) throw new Error("not a list of members");
  return parsed.map((item: unknown) => {
    const id = (item as { id?: unknown } | null)?.id;
    if (typeof id !== "string" || BigInt(id) >= 1n << 64n) throw new Error("a member without an id");
    const { isPromote: _, ...member } = memberFromJson(BigInt(id) as MemberId, JSON.stringify(item));
    return member;
  });
}
