import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errors } from "../errors/table.ts";
import { type ClusterId, type MemberId, noMember } from "../lib/ids.ts";
import { Cluster, ConfChangeType } from "../membership/cluster.ts";
import { memberToJson } from "../membership/member.ts";
import { timeoutError } from "./timeout-error.ts";

const ids = [1n, 2n, 3n] as MemberId[];

/** Member 1's view. A request was made at 10,000 ms. */
function textWith(given: {
  leader: bigint;
  leaderSinceMs?: number;
  connectedSinceMs?: Record<string, number>;
}): string {
  const cluster = new Cluster(1n as ClusterId, ids[0]!, 1);
  for (const id of ids) {
    const member = { id, peerUrls: [`http://${id}`], isLearner: false, name: "", clientUrls: [] };
    cluster.apply({ type: ConfChangeType.addNode, nodeId: id, context: memberToJson(member) });
  }
  const { connectedSinceMs = {}, leaderSinceMs = 0, leader } = given;
  return timeoutError(10_000, {
    cluster,
    peers: { activeSinceMs: (id) => connectedSinceMs[String(id)] },
    leader: leader as MemberId,
    leaderSinceMs,
    electionTimeoutMs: 1_000,
  }).message;
}

describe("the reason for a request without an end", () => {
  it("is the leader before, if that was lost meanwhile", () => {
    const connectedSinceMs = { 2: 0, 3: 0 };
    const failed = errors.timeoutDueToLeaderFail.text;
    assert.equal(textWith({ leader: 2n, leaderSinceMs: 11_500, connectedSinceMs }), failed);
    assert.equal(textWith({ leader: 1n, leaderSinceMs: 10_001, connectedSinceMs }), failed);
    assert.notEqual(textWith({ leader: 2n, leaderSinceMs: 12_500, connectedSinceMs }), failed);
  });

  it("is the connection, if a follower lost the leader, or the leader a quorum", () => {
    const lost = errors.timeoutDueToConnectionLost.text;
    assert.equal(textWith({ leader: 2n }), lost);
    assert.equal(textWith({ leader: 2n, connectedSinceMs: { 2: 10_500 } }), lost);
    assert.equal(textWith({ leader: 1n }), lost);
    assert.equal(textWith({ leader: 1n, connectedSinceMs: { 3: 0 } }), errors.timeout.text);
  });

  it("is not known otherwise", () => {
    assert.equal(textWith({ leader: noMember }), errors.timeout.text);
    assert.equal(textWith({ leader: 2n, connectedSinceMs: { 2: 0 } }), errors.timeout.text);
  });
});
