import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MemberId } from "../lib/ids.ts";
import { emptyConfState } from "../lib/raft-entry.ts";
import { confStateFromJson, confStateRow, confStateToJson } from "./conf-state-row.ts";

describe("conf state row", () => {
  it("keeps every bit of every id", () => {
    const state = {
      voters: [1n, 17818111502421262061n] as MemberId[],
      learners: [2n] as MemberId[],
      votersOutgoing: [3n] as MemberId[],
      learnersNext: [4n] as MemberId[],
      autoLeave: true,
    };
    assert.deepEqual(confStateFromJson(confStateRow(state).value!), state);
    assert.deepEqual(confStateFromJson(confStateRow(emptyConfState).value!), emptyConfState);
  });

  it("is the JSON that etcd writes", () => {
    const state = { ...emptyConfState, voters: [17818111502421262061n as MemberId] };
    assert.equal(confStateToJson(state), '{"voters":[17818111502421262061],"auto_leave":false}');
  });
});
