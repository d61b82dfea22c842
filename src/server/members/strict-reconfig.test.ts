import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errors } from "../../errors/table.ts";
import type { ClusterId, MemberId } from "../../lib/ids.ts";
import { Cluster, ConfChangeType } from "../../membership/cluster.ts";
import { memberToJson } from "../../membership/member.ts";
import { checkAdd, checkPromote, checkRemove } from "./strict-reconfig.ts";

const nowMs = 100_000;

interface Given {
  readonly id: bigint;
  readonly isLearner?: boolean;
  /** False for one that was added and never ran. */
  readonly isStarted?: boolean;
  /** Milliseconds since it was connected; undefined if it is not. */
  readonly connectedMs?: number;
}

/** A cluster as member 1 sees it. */
function context(...members: readonly Given[]) {
  const cluster = new Cluster(1n as ClusterId, 1n as MemberId, 5);
  for (const { id, isLearner = false, isStarted = true } of members) {
    const name = isStarted ? `m${id}` : "";
    const member = { id: id as MemberId, peerUrls: [`http://m${id}`], isLearner, name, clientUrls: [] };
    const type = isLearner ? ConfChangeType.addLearnerNode : ConfChangeType.addNode;
    cluster.apply({ type, nodeId: member.id, context: memberToJson(member) });
  }
  const peers = {
    activeSinceMs: (id: MemberId) => {
      const connectedMs = members.find((member) => member.id === id)?.connectedMs;
      return connectedMs === undefined ? undefined : nowMs - connectedMs;
    },
  };
  return { cluster, peers, nowMs };
}

const long = 60_000;
const up = (id: bigint): Given => ({ id, connectedMs: long });
const down = (id: bigint): Given => ({ id });
const notStarted = (id: bigint): Given => ({ id, isStarted: false });
const notEnough = { message: errors.memberNotEnoughStarted.text };
const unhealthy = { message: errors.unhealthy.text };

describe("adding a member", () => {
  it("is fine while a quorum of the larger cluster is there without it", () => {
    checkAdd(context(up(1n)), false);
    checkAdd(context(up(1n), up(2n)), false);
    checkAdd(context(up(1n), up(2n), up(3n)), false);
    checkAdd(context(up(1n), up(2n), up(3n), down(4n)), false);
  });

  it("is refused while members have not started, or are not connected, or only just are", () => {
    assert.throws(() => checkAdd(context(up(1n), notStarted(2n)), false), notEnough);
    assert.throws(() => checkAdd(context(up(1n), down(2n)), false), unhealthy);
    assert.throws(() => checkAdd(context(up(1n), { id: 2n, connectedMs: 4_000 }), false), unhealthy);
    assert.throws(() => checkAdd(context(up(1n), up(2n), down(3n)), false), unhealthy);
  });

  it("asks less of a learner, which is no part of a quorum", () => {
    const unnamed = { ...up(3n), isStarted: false };
    checkAdd(context(up(1n), up(2n), unnamed), true);
    assert.throws(() => checkAdd(context(up(1n), up(2n), unnamed), false), notEnough);
    assert.throws(() => checkAdd(context(up(1n), down(2n)), true), unhealthy);
  });
});

describe("removing a member", () => {
  it("is fine while a quorum is left", () => {
    checkRemove(context(up(1n), up(2n), up(3n)), 3n as MemberId);
    checkRemove(context(up(1n), up(2n), down(3n)), 3n as MemberId);
    checkRemove(context(up(1n), up(2n), notStarted(3n)), 3n as MemberId);
    checkRemove(context(up(1n), down(2n), { id: 3n, isLearner: true }), 3n as MemberId);
  });

  it("is refused when it would leave none", () => {
    assert.throws(() => checkRemove(context(up(1n), up(2n), down(3n)), 2n as MemberId), unhealthy);
    assert.throws(() => checkRemove(context(up(1n), up(2n), down(3n)), 1n as MemberId), unhealthy);
    assert.throws(() => checkRemove(context(up(1n), up(2n), notStarted(3n)), 2n as MemberId), notEnough);
    assert.throws(() => checkRemove(context(up(1n)), 1n as MemberId), notEnough);
  });
});

describe("promoting a learner", () => {
  it("needs started voters, of which it counts as one", () => {
    checkPromote(context(up(1n), { id: 2n, isLearner: true }));
    checkPromote(context(up(1n), up(2n), notStarted(3n), { id: 4n, isLearner: true }));
    assert.throws(
      () => checkPromote(context(up(1n), notStarted(2n), notStarted(3n), { id: 4n, isLearner: true })),
      notEnough,
    );
  });
});
