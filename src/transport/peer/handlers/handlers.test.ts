/** What the members' port answers, asked by a client that is not ours. Texts and statuses are etcd's. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { encodeMessage } from "../../../codec/raft-message.ts";
import {
  LeaseKeepAliveRequestSchema,
  LeaseKeepAliveResponseSchema,
} from "../../../gen/etcdserverpb/rpc_pb.ts";
import { parseEtcdUrl } from "../../../lib/etcd-url.ts";
import type { LeaseId, MemberId } from "../../../lib/ids.ts";
import { type Message, MessageType, makeMessage } from "../../../lib/raft-message.ts";
import type { LeaseSource } from "../contracts.ts";
import { renewAtLeader, timeToLiveAtLeader } from "../lease-client.ts";
import { heartbeat, snapshotMessage, TestMember, until } from "../testing/test-member.ts";

const identity = {
  "X-Server-From": "2",
  "X-Server-Version": "3.7.3",
  "X-Min-Cluster-Version": "3.0.0",
  "X-Etcd-Cluster-ID": "c1",
};

describe("the members' port", () => {
  let member: TestMember;
  let other: TestMember;
  let isBehind = false;

  const leases: LeaseSource = {
    whenCaughtUp: (callback) => {
      if (!isBehind) queueMicrotask(callback);
    },
    renew: async (id) => (id === 5n ? { ttlSeconds: 60 } : id === 6n ? "not primary" : "not found"),
    timeToLive: async (id, withKeys) => {
      if (id === 6n) return "not primary";
      if (id !== 5n) return "not found";
      const keys = withKeys ? [new Uint8Array([1]), new Uint8Array([2, 3])] : [];
      return { ttlSeconds: 30, grantedTtlSeconds: 60, keys };
    },
  };

  before(async () => {
    member = await TestMember.start({
      id: 1,
      limits: { leaseWaitMs: 50, messageBytes: 100_000 },
      routes: {
        leases,
        members: {
          members: () => [
            {
              id: 1n as MemberId,
              name: "one",
              peerUrls: ["http://a:1"],
              clientUrls: ["http://a:2"],
              isLearner: false,
            },
            {
              id: 0xffff_ffff_ffff_fff1n as MemberId,
              name: "",
              peerUrls: ["http://b:1"],
              clientUrls: [],
              isLearner: true,
            },
          ],
          versions: () => ({ etcdserver: "3.7.3", etcdcluster: "3.7.0", storage: "3.7.0" }),
        },
        fallback: async (request) => {
          const body = await request.text();
          const { pathname, search } = new URL(request.url);
          return new Response(`${request.method} ${pathname}${search} ${body}`, {
            status: 201,
            headers: { "X-A": "b" },
          });
        },
      },
    });
    other = await TestMember.start({ id: 2 });
    member.transport.addPeer(other.id, [other.url]);
  });
  after(async () => {
    await member.stop();
    await other.stop();
  });

  interface Wanted {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: Uint8Array | string;
  }

  async function ask(path: string, { method = "GET", headers = identity, body }: Wanted = {}) {
    const withBody = body === undefined ? {} : { body };
    const response = await fetch(`${member.url}${path}`, { method, headers, ...withBody } as RequestInit);
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  const post = (message: Message, headers: Record<string, string> = identity) =>
    ask("/raft", { method: "POST", headers, body: encodeMessage(message) });

  it("takes a message", async () => {
    const answer = await post(heartbeat(other, member, 3));
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get("x-etcd-cluster-id"), "c1");
    assert.deepEqual(member.received.at(-1), heartbeat(other, member, 3));
  });

  it("refuses what is no message", async () => {
    const body = new Uint8Array([0xff, 0xff, 0xff]);
    const answer = await ask("/raft", { method: "POST", body });
    assert.deepEqual([answer.status, answer.text], [400, "error unmarshalling raft message\n"]);
    const large = await ask("/raft", { method: "POST", body: new Uint8Array(100_001) });
    assert.deepEqual([large.status, large.text], [400, "error reading raft message\n"]);
    const snapshot = await post(snapshotMessage(other, member, 3));
    assert.equal(snapshot.status, 400);
  });

  it("refuses other methods", async () => {
    for (const [path, method, allowed] of [
      ["/raft", "GET", "POST"],
      ["/raft/snapshot", "PUT", "POST"],
      ["/raft/stream/message/2", "POST", "GET"],
      ["/members", "POST", "GET"],
      ["/version", "DELETE", "GET"],
    ] as const) {
      const answer = await ask(path, { method });
      assert.equal(answer.status, 405, path);
      assert.equal(answer.text, "Method Not Allowed\n");
      assert.equal(answer.headers.get("allow"), allowed);
    }
    assert.equal((await ask("/leases")).status, 405);
  });

  it("refuses another cluster", async () => {
    for (const path of ["/raft", "/raft/snapshot", "/raft/stream/message/2"]) {
      const method = path.includes("stream") ? "GET" : "POST";
      const answer = await ask(path, { method, headers: { ...identity, "X-Etcd-Cluster-ID": "c2" } });
      assert.deepEqual([answer.status, answer.text], [412, "cluster ID mismatch\n"], path);
      assert.equal(answer.headers.get("x-etcd-cluster-id"), "c1");
    }
    assert.ok(member.logged(/request cluster ID mismatch/));
  });

  const versions = [
    ["too old", { "X-Server-Version": "2.3.8" }],
    ["unsaid", { "X-Server-Version": "" }],
    ["too new", { "X-Min-Cluster-Version": "3.8.0" }],
    ["none", { "X-Server-Version": "new" }],
  ] as const;
  for (const [name, header] of versions) {
    it(`refuses a version that is ${name}`, async () => {
      const answer = await post(heartbeat(other, member), { ...identity, ...header });
      assert.deepEqual([answer.status, answer.text], [412, "incompatible version\n"]);
    });
  }

  it("takes versions around its own", async () => {
    for (const version of ["3.0.0", "3.6.11", "3.8.0-alpha.0", "4.0.0"]) {
      const answer = await post(heartbeat(other, member), { ...identity, "X-Server-Version": version });
      assert.equal(answer.status, 204, version);
    }
  });

  it("tells a member that it was removed, or that it means another one", async () => {
    member.removed.add(9n as MemberId);
    const gone = await post({ ...heartbeat(other, member), from: 9n as MemberId });
    assert.deepEqual(
      [gone.status, gone.text],
      [403, '{"message":"cannot process message from removed member"}'],
    );
    const stream = await ask("/raft/stream/message/9", { headers: { ...identity, "X-Raft-To": "1" } });
    assert.deepEqual([stream.status, stream.text], [410, "removed member\n"]);
    const mismatch = await post({ ...heartbeat(other, member), to: 3n as MemberId });
    assert.deepEqual(
      [mismatch.status, mismatch.text],
      [403, '{"message":"cannot process message to mismatch member"}'],
    );
  });

  it("gives no stream to strangers, nor for others", async () => {
    const cases = [
      ["/raft/stream/message/7", "1", 404, "error sender not found\n"],
      ["/raft/stream/message/xyz", "1", 404, "invalid from\n"],
      ["/raft/stream/msgappv2/2", "1", 404, "invalid path\n"],
      ["/raft/stream/message/2", "3", 412, "to field mismatch\n"],
      ["/raft/stream/msgapp/2", "", 412, "to field mismatch\n"],
    ] as const;
    for (const [path, to, status, text] of cases) {
      const answer = await ask(path, { headers: { ...identity, "X-Raft-To": to } });
      assert.deepEqual([answer.status, answer.text], [status, text], path);
      assert.equal(answer.headers.get("x-server-version"), "3.7.3");
    }
  });

  it("is probed", async () => {
    const before = Date.now();
    const answer = await ask("/raft/probing", { headers: {} });
    const health = JSON.parse(answer.text) as { OK: boolean; Now: string };
    assert.equal(health.OK, true);
    const now = Date.parse(health.Now);
    assert.ok(now > before - 10_000 && now < Date.now() + 10_000);
  });

  it("lists members and versions", async () => {
    const members = await ask("/members", { headers: {} });
    assert.equal(members.headers.get("x-etcd-cluster-id"), "c1");
    assert.equal(
      members.text,
      '[{"id":1,"peerURLs":["http://a:1"],"name":"one","clientURLs":["http://a:2"]},' +
        '{"id":18446744073709551601,"peerURLs":["http://b:1"],"isLearner":true}]\n',
    );
    const version = await ask("/version", { headers: {} });
    assert.equal(version.text, '{"etcdserver":"3.7.3","etcdcluster":"3.7.0","storage":"3.7.0"}');
  });

  it("renews leases for members that do not lead", async () => {
    const renew = async (id: bigint) => {
      const body = toBinary(LeaseKeepAliveRequestSchema, create(LeaseKeepAliveRequestSchema, { ID: id }));
      const response = await fetch(`${member.url}/leases`, { method: "POST", body });
      return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
    };
    const good = await renew(5n);
    assert.equal(good.status, 200);
    assert.equal(fromBinary(LeaseKeepAliveResponseSchema, good.body).TTL, 60n);
    const text = ({ body }: { body: Uint8Array }) => new TextDecoder().decode(body);
    const missing = await renew(4n);
    assert.deepEqual([missing.status, text(missing)], [404, "lease not found\n"]);
    const demoted = await renew(6n);
    assert.deepEqual([demoted.status, text(demoted)], [400, "not a primary lessor\n"]);
    isBehind = true;
    const behind = await renew(5n);
    isBehind = false;
    assert.deepEqual(
      [behind.status, text(behind)],
      [408, "waiting for node to catch up its applied index has timed out\n"],
    );
    const large = await ask("/leases", { method: "POST", body: new Uint8Array(70_000) });
    assert.equal(large.status, 413);
    const malformed = await ask("/leases", { method: "POST", body: new Uint8Array([0xff]) });
    assert.deepEqual([malformed.status, malformed.text], [400, "error unmarshalling request\n"]);
  });

  it("is asked about leases by members of ours", async () => {
    const options = {
      client: other.transport.client,
      url: parseEtcdUrl(member.url),
      timeoutMs: 5_000,
      maxBodyBytes: 1_000,
    };
    assert.equal(await renewAtLeader(5n as LeaseId, options), 60);
    assert.equal(await renewAtLeader(4n as LeaseId, options), "not found");
    await assert.rejects(
      renewAtLeader(6n as LeaseId, options),
      /lease: unknown error\(not a primary lessor\)/,
    );
    const keys = [new Uint8Array([1]), new Uint8Array([2, 3])];
    const found = await timeToLiveAtLeader(5n as LeaseId, true, options);
    assert.deepEqual(found, { ttlSeconds: 30, grantedTtlSeconds: 60, keys });
    const bare = await timeToLiveAtLeader(5n as LeaseId, false, options);
    assert.deepEqual(bare, { ttlSeconds: 30, grantedTtlSeconds: 60, keys: [] });
    assert.equal(await timeToLiveAtLeader(4n as LeaseId, true, options), "not found");
    await assert.rejects(timeToLiveAtLeader(6n as LeaseId, true, options), /not a primary lessor/);
    isBehind = true;
    assert.equal(await renewAtLeader(5n as LeaseId, options), "behind");
    isBehind = false;
  });

  it("passes everything else on", async () => {
    const got = await ask("/members/hashkv?x=1", { method: "POST", body: "abc" });
    assert.deepEqual(
      [got.status, got.text, got.headers.get("x-a")],
      [201, "POST /members/hashkv?x=1 abc", "b"],
    );
    const bare = await fetch(`${other.url}/else`);
    assert.deepEqual([bare.status, await bare.text()], [404, "404 page not found\n"]);
  });

  it("refuses snapshot posts that are none", async () => {
    const empty = await ask("/raft/snapshot", { method: "POST", body: new Uint8Array(0) });
    assert.deepEqual([empty.status, empty.text], [400, "failed to decode raft message (unexpected EOF)\n"]);
    const framed = (message: Message) => {
      const bytes = encodeMessage(message);
      const body = new Uint8Array(8 + bytes.length);
      new DataView(body.buffer).setBigUint64(0, BigInt(bytes.length));
      body.set(bytes, 8);
      return body;
    };
    const vote = makeMessage({ type: MessageType.vote, from: other.id, to: member.id });
    const wrong = await ask("/raft/snapshot", { method: "POST", body: framed(vote) });
    assert.deepEqual([wrong.status, wrong.text], [400, "wrong raft message type\n"]);
    const huge = await ask("/raft/snapshot", { method: "POST", body: new Uint8Array(8).fill(0x7f) });
    assert.equal(huge.status, 400);
    assert.match(huge.text, /error limit exceeded/);
    const removed = { ...snapshotMessage(other, member, 5), from: 9n as MemberId };
    assert.equal((await ask("/raft/snapshot", { method: "POST", body: framed(removed) })).status, 403);
    assert.equal(member.snapshots.size, 0);
    assert.match(member.metrics.expose(), /^etcd_network_snapshot_receive_failures\{From="2"\} [1-9]/m);
  });

  it("serves many requests of one connection", async () => {
    const before = member.received.length;
    await Promise.all(Array.from({ length: 200 }, (_, i) => post(heartbeat(other, member, i))));
    await until("all are there", () => member.received.length === before + 200);
  });
});
