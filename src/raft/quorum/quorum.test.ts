import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MemberId } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import { jointIndex, jointVote } from "./joint.ts";
import { majorityIndex, majorityVote, type VoteResult } from "./majority.ts";

const ids = (count: number, from = 1) =>
  Array.from({ length: count }, (_, i) => BigInt(from + i) as MemberId);

/** Straight from the definition: the largest index that more than half of the voters have reached. */
function slowIndex(voters: readonly MemberId[], acked: (id: MemberId) => number): number {
  if (voters.length === 0) return Number.POSITIVE_INFINITY;
  let best = 0;
  for (const candidate of voters.map(acked)) {
    const reached = voters.filter((id) => acked(id) >= candidate).length;
    if (reached * 2 > voters.length) best = Math.max(best, candidate);
  }
  return best;
}

/** By trying all ways in which the missing voters may answer. */
function slowVote(voters: readonly MemberId[], votes: ReadonlyMap<MemberId, boolean>): VoteResult {
  const missing = voters.filter((id) => !votes.has(id));
  const outcomes = new Set<boolean>();
  for (let bits = 0; bits < 2 ** missing.length; bits++) {
    const granted = voters.filter((id) => votes.get(id) ?? ((bits >> missing.indexOf(id)) & 1) === 1).length;
    outcomes.add(voters.length === 0 || granted * 2 > voters.length);
  }
  if (outcomes.size === 2) return "pending";
  return outcomes.has(true) ? "won" : "lost";
}

describe("a majority", () => {
  it("of nobody is bound by nothing", () => {
    assert.equal(
      majorityIndex([], () => 0),
      Number.POSITIVE_INFINITY,
    );
    assert.equal(
      majorityVote([], () => undefined),
      "won",
    );
  });

  it("reaches what the definition says, for all small cases", () => {
    for (let size = 1; size <= 5; size++) {
      const voters = ids(size);
      for (let code = 0; code < 4 ** size; code++) {
        const acked = (id: MemberId) => Math.floor(code / 4 ** (Number(id) - 1)) % 4;
        assert.equal(majorityIndex(voters, acked), slowIndex(voters, acked), `size ${size}, code ${code}`);
      }
    }
  });

  it("decides votes as all possible answers would", () => {
    for (let size = 0; size <= 6; size++) {
      const voters = ids(size);
      for (let code = 0; code < 3 ** size; code++) {
        const votes = new Map<MemberId, boolean>();
        for (const [i, id] of voters.entries()) {
          const answer = Math.floor(code / 3 ** i) % 3;
          if (answer < 2) votes.set(id, answer === 1);
        }
        assert.equal(
          majorityVote(voters, (id) => votes.get(id)),
          slowVote(voters, votes),
          `size ${size}, code ${code}`,
        );
      }
    }
  });
});

describe("a joint quorum", () => {
  it("is what both majorities agree on", () => {
    const seed = 20260101;
    const prng = new Prng(seed);
    for (let round = 0; round < 3000; round++) {
      const all = ids(7);
      const half = () => all.filter(() => prng.chance(0.5));
      const config = { voters: half(), votersOutgoing: half() };
      const index = new Map(all.map((id) => [id, prng.below(10)]));
      const acked = (id: MemberId) => index.get(id)!;
      const votes = new Map(all.filter(() => prng.chance(0.7)).map((id) => [id, prng.chance(0.5)]));
      const expectedIndex = Math.min(
        slowIndex(config.voters, acked),
        slowIndex(config.votersOutgoing, acked),
      );
      assert.equal(jointIndex(config, acked), expectedIndex, `seed ${seed}, round ${round}`);
      const results = [slowVote(config.voters, votes), slowVote(config.votersOutgoing, votes)];
      const expected = results.includes("lost") ? "lost" : results.includes("pending") ? "pending" : "won";
      assert.equal(
        jointVote(config, (id) => votes.get(id)),
        expected,
        `seed ${seed}, round ${round}`,
      );
    }
  });

  it("with an empty outgoing half is the plain majority", () => {
    const config = { voters: ids(3), votersOutgoing: [] };
    assert.equal(
      jointIndex(config, (id) => Number(id)),
      2,
    );
    assert.equal(
      jointVote(config, (id) => (id === 1n ? undefined : id === 2n)),
      "pending",
    );
  });

  it("and the next configuration share a member in every pair of quorums", () => {
    // What makes changes safe (dissertation 4.1 and 4.3), for all configurations of up to four of five members.
    const all = ids(5);
    const subsets = Array.from({ length: 31 }, (_, i) => all.filter((_, bit) => ((i + 1) >> bit) & 1));
    const quorums = (voters: readonly MemberId[]) =>
      subsets.filter((subset) => majorityVote(voters, (id) => subset.includes(id)) === "won");
    for (const before of subsets.filter(({ length }) => length <= 4)) {
      for (const after of subsets) {
        const changed = [...before, ...after].filter(
          (id) => before.includes(id) !== after.includes(id),
        ).length;
        const joint = { voters: after, votersOutgoing: before };
        for (const one of quorums(before)) {
          const disjoint = all.filter((id) => !one.includes(id));
          if (changed <= 1)
            assert.notEqual(
              majorityVote(after, (id) => disjoint.includes(id)),
              "won",
            );
          assert.notEqual(
            jointVote(joint, (id) => disjoint.includes(id)),
            "won",
          );
        }
      }
    }
  });
});
