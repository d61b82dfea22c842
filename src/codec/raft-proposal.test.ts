import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeRaftRequest, raftField } from "./raft-internal.ts";
import { encodeRaftProposal } from "./raft-proposal.ts";

describe("raft proposal", () => {
  it("is what encodeRaftRequest makes, for ids of every size", () => {
    const body = Uint8Array.from([1, 2, 3]);
    for (const field of [raftField.put, raftField.txn, raftField.authEnable, raftField.clusterVersionSet]) {
      for (const prefix of [0, 1, 0x7fff, 0xffff]) {
        for (let bits = 0; bits <= 48; bits++) {
          for (const suffix of [2 ** bits - 1, Math.floor(2 ** bits * 0.7)]) {
            const id = (BigInt(prefix) << 48n) | BigInt(suffix);
            const expected = encodeRaftRequest({ id, username: "", authRevision: 0 }, field, body);
            // An id of 0 is never proposed; generated code would leave it out.
            if (id !== 0n) assert.deepEqual(encodeRaftProposal({ prefix, suffix }, field, body), expected);
          }
        }
      }
    }
  });

  it("names who asks", () => {
    const body = new Uint8Array(200).fill(7);
    const id = 0x1234_0000_0000_5678n;
    for (const username of ["root", "é", "x".repeat(300)]) {
      for (const authRevision of [1, 127, 128, 2 ** 40]) {
        for (const field of [raftField.put, raftField.authUserAdd]) {
          const caller = { username, authRevision };
          const expected = encodeRaftRequest({ id, ...caller }, field, body);
          const split = { prefix: 0x1234, suffix: 0x5678 };
          assert.deepEqual(encodeRaftProposal(split, field, body, caller), expected);
        }
      }
    }
  });
});
