import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import type { MemberId } from "../lib/ids.ts";
import { computeClusterId, computeMemberId, formatId, memberFromJson, memberToJson, utf8 } from "./member.ts";

const sha1 = (bytes: Uint8Array) => createHash("sha1").update(bytes).digest();

describe("member", () => {
  // The literals are what etcd 3.7.3 logs and answers when it is started with these flags.
  it("has etcd's ids", () => {
    const id = computeMemberId(sha1, ["http://127.0.0.1:30080"], "etcd-cluster");
    assert.equal(formatId(id), "f746a601ce1efeed");
    assert.equal(formatId(computeClusterId(sha1, [id])), "872d4b824f0f2635");
  });

  it("sorts URLs and ids before it hashes them", () => {
    const urls = ["http://b:2380", "http://a:2380"];
    assert.equal(computeMemberId(sha1, urls, "t"), computeMemberId(sha1, urls.toReversed(), "t"));
    const ids = [5n, 3n] as MemberId[];
    assert.equal(computeClusterId(sha1, ids), computeClusterId(sha1, ids.toReversed()));
    assert.notEqual(computeMemberId(sha1, urls, "t"), computeMemberId(sha1, urls, "t", 1));
  });

  it("keeps all 64 bits of an id in JSON, and leaves out what is empty", () => {
    const member = {
      id: 17818111502421262061n as MemberId,
      peerUrls: ["http://127.0.0.1:30080"],
      isLearner: false,
      name: "",
      clientUrls: [],
    };
    assert.equal(memberToJson(member), '{"id":17818111502421262061,"peerURLs":["http://127.0.0.1:30080"]}');
    const all = { ...member, isLearner: true, name: 'n"1', clientUrls: ["http://c"] };
    const { isPromote, ...back } = memberFromJson(all.id, memberToJson(all, true));
    assert.deepEqual(back, all);
    assert.equal(isPromote, true);
  });

  it("writes UTF-8", () => {
    for (const text of ["", "plain", "größe €", "𝄞%41"]) {
      assert.deepEqual(utf8(text), new Uint8Array(Buffer.from(text)));
    }
  });
});
