/** What another member answers to a post of messages. */
import type { MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import { formatId } from "../../membership/member.ts";
import {
  clusterIdMismatch,
  incompatibleVersion,
  type LocalIdentity,
  memberRemoved,
} from "./cluster-headers.ts";
import type { HttpResponse } from "./http1/messages.ts";

/** What a member says to messages from one that was removed. */
export const fromRemovedMember = "cannot process message from removed member";
export const toMismatchMember = "cannot process message to mismatch member";

/** This member is no longer one. */
export class LocalRemovedError extends Error {
  constructor() {
    super(memberRemoved);
  }
}

/** Throws unless the post was taken. `where` is the URL it went to, for the text. */
export function checkPostAnswer(
  response: HttpResponse,
  about: {
    readonly local: LocalIdentity;
    readonly to: MemberId;
    readonly where: string;
    readonly logger: Logger;
  },
): void {
  const { status } = response;
  if (status === 204) return;
  const { local, to, where, logger } = about;
  const text = new TextDecoder().decode(response.body).replace(/\n$/, "");
  const remote = { "remote-peer-id": formatId(to) };
  if (status === 412 && text === incompatibleVersion) {
    logger.warn("request sent was ignored by peer", remote);
    throw new Error(text);
  }
  if (status === 412 && text === clusterIdMismatch) {
    logger.warn("request sent was ignored due to cluster ID mismatch", {
      ...remote,
      "remote-peer-cluster-id": response.headers.get("x-etcd-cluster-id") ?? "",
      "local-member-cluster-id": formatId(local.clusterId),
    });
    throw new Error(text);
  }
  if (status === 412) throw new Error(`unhandled error ${JSON.stringify(text)} when precondition failed`);
  // etcd answers 403 also when the message is for another member: then it is not this one that is gone.
  if (status === 403 && !text.includes(toMismatchMember)) throw new LocalRemovedError();
  throw new Error(
    `unexpected http status ${status} while posting to ${JSON.stringify(where)}: ${text.slice(0, 200)}`,
  );
}
