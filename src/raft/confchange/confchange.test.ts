import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ConfChangeSchema, ConfChangeV2Schema } from "../../gen/raftpb/raft_pb.ts";
import type { MemberId } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import { type ConfState, emptyConfState } from "../../lib/raft-entry.ts";
import { describeConfig } from "../reconfigure.ts";
import { applyChange, ConfChangeError, checkConfig, enterJoint, leaveJoint, simple } from "./changer.ts";
import {
  type ConfChangeSingle,
  ConfChangeTransition,
  type ConfChangeType,
  describeConfChange,
} from "./types.ts";
import { decodeConfChange, decodeConfChangeV2, encodeConfChange, encodeConfChangeV2 } from "./wire.ts";

const types = { v: 0, r: 1, u: 2, l: 3 } as const;

function changes(text: string): ConfChangeSingle[] {
  return text
    .split(" ")
    .filter((part) => part !== "")
    .map((part) => ({
      type: types[part[0] as keyof typeof types],
      nodeId: BigInt(part.slice(1)) as MemberId,
    }));
}

/** A configuration by the simple changes that lead to it. */
function config(text: string): ConfState {
  return changes(text).reduce((state, change) => simple(state, [change]), emptyConfState);
}

const show = (state: ConfState) => describeConfig(state);

describe("simple changes", () => {
  const cases: [from: string, change: string, to: string | RegExp][] = [
    ["", "v1", "voters=(1)"],
    ["v1", "v2", "voters=(1 2)"],
    ["v1 v2", "r2", "voters=(1)"],
    ["v1", "l2", "voters=(1) learners=(2)"],
    ["v1 l2", "v2", "voters=(1 2)"],
    ["v1 v2", "l2", "voters=(1) learners=(2)"],
    ["v1 l2", "r2", "voters=(1)"],
    ["v1 v2", "v2", "voters=(1 2)"],
    ["v1", "r9", "voters=(1)"],
    ["v1", "u1", "voters=(1)"],
    ["v1", "v0", "voters=(1)"],
    ["v1", "l2 l3", "voters=(1) learners=(2 3)"],
    ["v1 v2", "v3 r3", "voters=(1 2)"],
    ["v1", "r1", /removed all voters/],
    ["v1", "v2 v3", /more than one voter changed/],
    ["v1 v2 v3", "r2 v4", /more than one voter changed/],
  ];
  for (const [from, change, to] of cases) {
    it(`[${from}] and then [${change}]`, () => {
      const act = () => show(simple(config(from), changes(change)));
      if (typeof to === "string") assert.equal(act(), to);
      else assert.throws(act, (error) => error instanceof ConfChangeError && to.test(error.message));
    });
  }

  it("are not made to a joint configuration", () => {
    const joint = enterJoint(config("v1"), false, changes("v2"));
    assert.throws(() => simple(joint, changes("v3")), /joint/);
  });
});

describe("joint changes", () => {
  const cases: [from: string, change: string, joint: string, left: string][] = [
    ["v1", "v2 v3", "voters=(1 2 3)&&(1) autoleave", "voters=(1 2 3)"],
    ["v1 v2 v3", "r1 v4", "voters=(2 3 4)&&(1 2 3) autoleave", "voters=(2 3 4)"],
    ["v1 v2", "l2", "voters=(1)&&(1 2) learners_next=(2) autoleave", "voters=(1) learners=(2)"],
    [
      "v1 v2",
      "l2 l3",
      "voters=(1)&&(1 2) learners=(3) learners_next=(2) autoleave",
      "voters=(1) learners=(2 3)",
    ],
    ["v1 v2", "l2 r2", "voters=(1)&&(1 2) autoleave", "voters=(1)"],
    ["v1 v2", "l2 v2", "voters=(1 2)&&(1 2) autoleave", "voters=(1 2)"],
    ["v1 l2", "v2 r1", "voters=(2)&&(1) autoleave", "voters=(2)"],
    ["v1", "", "voters=(1)&&(1) autoleave", "voters=(1)"],
  ];
  for (const [from, change, joint, left] of cases) {
    it(`[${from}] and then [${change}]`, () => {
      const entered = enterJoint(config(from), true, changes(change));
      assert.equal(show(entered), joint);
      assert.equal(show(leaveJoint(entered)), left);
    });
  }

  it("neither begin twice, nor end without having begun, nor begin from nothing", () => {
    const joint = enterJoint(config("v1"), true, changes("v2"));
    assert.throws(() => enterJoint(joint, true, changes("v3")), /already joint/);
    assert.throws(() => leaveJoint(config("v1")), /non-joint/);
    assert.throws(() => enterJoint(emptyConfState, true, changes("v1")), /zero-voter/);
    assert.throws(() => enterJoint(config("v1"), true, changes("r1")), /removed all voters/);
  });
});

describe("which way a change goes", () => {
  const context = new Uint8Array(0);
  const { auto, jointImplicit, jointExplicit } = ConfChangeTransition;
  const cases: [change: string, transition: ConfChangeTransition, to: string][] = [
    ["v2", auto, "voters=(1 2)"],
    ["v2", jointImplicit, "voters=(1 2)&&(1) autoleave"],
    ["v2", jointExplicit, "voters=(1 2)&&(1)"],
    ["v2 v3", auto, "voters=(1 2 3)&&(1) autoleave"],
    ["", jointExplicit, "voters=(1)&&(1)"],
  ];
  for (const [change, transition, to] of cases) {
    it(`[${change}] with transition ${transition}`, () => {
      assert.equal(show(applyChange(config("v1"), { transition, changes: changes(change), context })), to);
    });
  }

  it("an empty change with transition 0 leaves", () => {
    const joint = applyChange(config("v1"), { transition: jointExplicit, changes: changes("v2"), context });
    assert.equal(show(applyChange(joint, { transition: auto, changes: [], context })), "voters=(1 2)");
  });

  it("the older form is one simple change", () => {
    const change = { id: 5n, type: 0, nodeId: 2n as MemberId, context } as const;
    assert.equal(show(applyChange(config("v1"), change)), "voters=(1 2)");
    assert.equal(describeConfChange(change), "v2");
  });
});

describe("any changes", () => {
  it("keep the invariants, and lead through a joint configuration to where simple steps lead", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const prng = new Prng(seed);
      const some = (count: number): ConfChangeSingle[] =>
        Array.from({ length: count }, () => ({
          type: prng.pick([0, 0, 0, 1, 2, 3, 3]) as ConfChangeType,
          nodeId: BigInt(1 + prng.below(6)) as MemberId,
        }));
      let state = config("v1");
      for (let round = 0; round < 10; round++) {
        const batch = some(1 + prng.below(4));
        const stepwise = trySteps(state, batch);
        const joint = attempt(() => enterJoint(state, prng.chance(0.5), batch));
        const note = `seed ${seed}, round ${round}: ${show(state)} and ${describeConfChange({ transition: 0, changes: batch, context: new Uint8Array(0) })}`;
        if (joint === undefined) continue;
        checkConfig(joint);
        assert.deepEqual(joint.votersOutgoing, state.voters, note);
        const left = leaveJoint(joint);
        // A member demoted and promoted again within a batch, and the like, come out the same either way.
        if (stepwise !== undefined) assert.equal(show(left), show(stepwise), note);
        state = left;
      }
    }
  });
});

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof ConfChangeError) return undefined;
    throw error;
  }
}

function trySteps(state: ConfState, batch: readonly ConfChangeSingle[]): ConfState | undefined {
  return attempt(() => batch.reduce((config, change) => simple(config, [change]), state));
}

describe("the bytes", () => {
  it("are protobuf's, both ways", () => {
    const context = Uint8Array.of(1, 2, 3);
    for (const nodeId of [0n, 1n, 127n, 128n, 0x8211f1d0f64f3269n, 0xffffffffffffffffn] as MemberId[]) {
      const v1 = { id: nodeId ^ 5n, type: 3, nodeId, context } as const;
      const generated = fromBinary(ConfChangeSchema, encodeConfChange(v1));
      assert.deepEqual(
        [generated.id, generated.type, generated.nodeId, generated.context],
        [v1.id, 3, nodeId, context],
      );
      assert.deepEqual(decodeConfChange(toBinary(ConfChangeSchema, generated)), v1);
      const v2 = {
        transition: 2,
        changes: [
          { type: 1, nodeId },
          { type: 0, nodeId: 7n as MemberId },
        ],
        context,
      } as const;
      const generatedV2 = fromBinary(ConfChangeV2Schema, encodeConfChangeV2(v2));
      assert.deepEqual(
        generatedV2.changes.map((single) => [single.type, single.nodeId]),
        [
          [1, nodeId],
          [0, 7n],
        ],
      );
      assert.deepEqual(decodeConfChangeV2(toBinary(ConfChangeV2Schema, generatedV2)), v2);
    }
    assert.deepEqual(decodeConfChangeV2(toBinary(ConfChangeV2Schema, create(ConfChangeV2Schema))), {
      transition: 0,
      changes: [],
      context: new Uint8Array(0),
    });
  });

  it("are refused when they are cut short or make no sense", () => {
    const bytes = encodeConfChange({
      id: 300n,
      type: 0,
      nodeId: 300n as MemberId,
      context: Uint8Array.of(1, 2),
    });
    for (const cut of [2, bytes.length - 1]) {
      assert.throws(() => decodeConfChange(bytes.subarray(0, cut)), RangeError);
    }
    assert.throws(() => decodeConfChange(Uint8Array.of(0x0b)), /wire type/);
    assert.throws(() => decodeConfChange(Uint8Array.of(8, ...Array<number>(11).fill(255))), /overlong/);
  });

  it("may hold fields that are not known", () => {
    const bytes = encodeConfChange({ id: 1n, type: 1, nodeId: 2n as MemberId, context: new Uint8Array(0) });
    const more = Uint8Array.of(...bytes, 0x52, 1, 9, 0x59, 1, 2, 3, 4, 5, 6, 7, 8, 0x65, 1, 2, 3, 4, 0x68, 1);
    assert.equal(decodeConfChange(more).nodeId, 2n);
  });
});
