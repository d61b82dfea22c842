import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { MemberId } from "../../lib/ids.ts";
import { MessageType } from "../../lib/raft-message.ts";
import { testCertificates as certificates } from "../testing/certificates.ts";
import { joined } from "./http1/plain.ts";
import {
  append,
  heartbeat,
  introduce,
  snapshotMessage,
  startMembers,
  TestMember,
  until,
  untilConnected,
} from "./testing/test-member.ts";

async function stopAll(members: readonly TestMember[]): Promise<void> {
  await Promise.all(members.map((member) => member.stop()));
}

describe("members", () => {
  it("bring messages to each other, each kind on its own stream", async () => {
    const members = await startMembers(3);
    const [a, b, c] = members as [TestMember, TestMember, TestMember];
    await untilConnected(members);
    a.transport.send([
      append(a, b, 1, 3, 100),
      heartbeat(a, b, 7),
      heartbeat(a, c, 8),
      append(a, b, 4, 2, 10),
    ]);
    await until("b has all", () => b.received.length === 3);
    await until("c has its own", () => c.received.length === 1);
    const appends = b.received.filter(({ type }) => type === MessageType.app);
    assert.deepEqual(appends, [append(a, b, 1, 3, 100), append(a, b, 4, 2, 10)]);
    assert.deepEqual(c.received, [heartbeat(a, c, 8)]);
    b.transport.send([heartbeat(b, a, 9), heartbeat(b, c, 10)]);
    await until("a and c have b's", () => a.received.length === 1 && c.received.length === 2);
    assert.equal(a.transport.activePeers, 2);
    assert.ok(a.transport.activeSince(b.id)! <= performance.now());
    assert.equal(a.transport.activeSince(77n as MemberId), undefined);
    assert.deepEqual(a.unreachable, []);
    const text = a.metrics.expose();
    assert.match(text, /^etcd_network_active_peers\{Local="1",Remote="2"\} 1$/m);
    assert.match(text, /^etcd_network_peer_sent_bytes_total\{To="2"\} [1-9]\d*$/m);
    assert.match(b.metrics.expose(), /^etcd_network_peer_received_bytes_total\{From="1"\} [1-9]\d*$/m);
    await stopAll(members);
    assert.match(a.metrics.expose(), /^etcd_network_active_peers\{Local="1",Remote="2"\} 0$/m);
  });

  it("lose nothing of what fits while a stream stands", async () => {
    const members = await startMembers(2, {
      limits: { streamBytes: 1024 * 1024 * 1024, streamMessages: 100_000 },
    });
    const [a, b] = members as [TestMember, TestMember];
    await untilConnected(members);
    let index = 1;
    for (let i = 0; i < 2_000; i++) {
      const count = i % 7;
      a.transport.send([append(a, b, index, count, i % 100 === 0 ? 100_000 : 100), heartbeat(a, b, i)]);
      index += count;
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until("everything is there", () => b.received.length === 4_000);
    let next = 1;
    for (const message of b.received.filter(({ type }) => type === MessageType.app)) {
      assert.equal(message.index, next);
      next += message.entries.length;
    }
    assert.equal(next, index);
    assert.deepEqual(a.unreachable, []);
    await stopAll(members);
  });

  it("find each other again when one restarts", async () => {
    const members = await startMembers(2);
    const [a, b] = members as [TestMember, TestMember];
    await untilConnected(members);
    await b.stop();
    await until("a has noticed", () => a.transport.activePeers === 0);
    assert.ok(a.logged(/peer became inactive/));
    a.transport.send([heartbeat(a, b, 1)]);
    await until("a is told that it got lost", () => a.unreachable.includes(b.id));
    const again = await TestMember.start({ id: 2, port: b.port });
    introduce(again, [a]);
    await untilConnected([again], 2);
    await until("a reaches it", () => a.transport.activePeers === 1);
    a.transport.send([append(a, again, 1, 1, 10), heartbeat(a, again, 2)]);
    await until("the new one gets messages", () => again.received.length === 2);
    await stopAll([a, again]);
  });

  it("speak by posts where there are no streams", async () => {
    const a = await TestMember.start({ id: 1 });
    const b = await TestMember.start({ id: 2 });
    // b does not know a, so it asks for no stream and refuses a's.
    a.transport.addPeer(b.id, [b.url]);
    a.transport.send([heartbeat(a, b, 1), append(a, b, 1, 2, 10)]);
    await until("both have come", () => b.received.length === 2);
    assert.ok(b.logged(/failed to find remote peer in cluster/));
    await stopAll([a, b]);
  });

  it("answer a member that they do not know yet", async () => {
    const a = await TestMember.start({ id: 1 });
    const b = await TestMember.start({ id: 2 });
    const urls = { localUrls: [a.url] };
    const port = a.port;
    await a.stop();
    const known = await TestMember.start({ id: 1, port, ...urls });
    known.transport.addPeer(b.id, [b.url]);
    known.transport.send([heartbeat(known, b, 1)]);
    await until("b has it", () => b.received.length === 1);
    await until("b knows how to answer", () => b.logged(/added new remote peer/) !== undefined);
    b.transport.send([heartbeat(b, known, 2)]);
    await until("the answer is there", () => known.received.length === 1);
    await stopAll([known, b]);
  });

  it("use another URL when one does not work", async () => {
    const a = await TestMember.start({ id: 1 });
    const b = await TestMember.start({ id: 2 });
    const dead = await TestMember.start({ id: 3 });
    await dead.stop();
    a.transport.addPeer(b.id, [dead.url, b.url]);
    b.transport.addPeer(a.id, [a.url]);
    await untilConnected([a, b]);
    a.transport.send([heartbeat(a, b)]);
    await until("it has come", () => b.received.length === 1);
    await stopAll([a, b]);
  });

  it("follow a member to its new URL", async () => {
    const members = await startMembers(2);
    const [a, b] = members as [TestMember, TestMember];
    await untilConnected(members);
    await b.stop();
    const moved = await TestMember.start({ id: 2 });
    introduce(moved, [a]);
    a.transport.updatePeer(b.id, [moved.url]);
    await untilConnected([moved], 2);
    await until("a reaches it", () => a.transport.activePeers === 1);
    a.transport.send([heartbeat(a, moved)]);
    await until("it gets messages", () => moved.received.length === 1);
    await stopAll([a, moved]);
  });

  it("hear no more of one that was removed, and tell it", async () => {
    const members = await startMembers(3);
    const [a, b, c] = members as [TestMember, TestMember, TestMember];
    await untilConnected(members);
    for (const member of [a, b]) {
      member.removed.add(c.id);
      member.transport.removePeer(c.id);
    }
    await until("c is told", () => c.localRemoved === 1);
    const before = a.received.length;
    c.transport.send([heartbeat(c, a, 1)]);
    a.transport.send([heartbeat(a, c, 1)]);
    await until(
      "c's message is refused",
      () => a.logged(/rejected Raft message from removed member/) !== undefined,
    );
    assert.equal(a.received.length, before);
    assert.equal(a.transport.activeSince(c.id), undefined);
    assert.equal(c.localRemoved, 1);
    await stopAll(members);
  });

  it("make the sender wait while appends are not read, and lose none", async () => {
    const members = await startMembers(2);
    const [a, b] = members as [TestMember, TestMember];
    await untilConnected(members);
    b.transport.pauseAppends();
    for (let i = 0; i < 40; i++) a.transport.send([append(a, b, i + 1, 1, 1_000_000)]);
    a.transport.send([heartbeat(a, b, 1)]);
    await until("the heartbeat has come", () =>
      b.received.some(({ type }) => type === MessageType.heartbeat),
    );
    assert.equal(b.received.length, 1);
    b.transport.resumeAppends();
    await until("all appends have come", () => b.received.length === 41);
    assert.deepEqual(a.unreachable, []);
    await stopAll(members);
  });

  it("drop what finds no room, say so, and go on", async () => {
    const members = await startMembers(2, { limits: { streamBytes: 1_000_000, streamTimeoutMs: 60_000 } });
    const [a, b] = members as [TestMember, TestMember];
    await untilConnected(members);
    b.transport.pauseAppends();
    let sent = 0;
    while (a.unreachable.length === 0 && sent < 2_000) {
      a.transport.send([append(a, b, ++sent, 1, 100_000)]);
      if (sent % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.deepEqual(a.unreachable, [b.id]);
    assert.ok(a.logged(/dropped internal Raft message since sending buffer is full.*MsgApp.*streamMsgAppV2/));
    b.transport.resumeAppends();
    const probe = append(a, b, 1_000_000, 1, 10);
    const arrived = () => b.received.some(({ index }) => index === probe.index);
    await until("a later append comes", () => {
      if (!arrived()) a.transport.send([probe]);
      return arrived();
    });
    await stopAll(members);
  });

  it("give a stream up that takes nothing", { timeout: 60_000 }, async () => {
    // Nothing but the stall ends a stream here, however slow the machine is.
    const limits = { streamStallTimeoutMs: 300, linkHeartbeatMs: 50, streamTimeoutMs: 60_000 };
    const members = await startMembers(2, { limits });
    const [a, b] = members as [TestMember, TestMember];
    await untilConnected(members);
    b.transport.pauseAppends();
    for (let i = 0; i < 60; i++) a.transport.send([append(a, b, i + 1, 1, 1_000_000)]);
    await until(
      "a gives up",
      () => a.logged(/failed to write 2 on stream MsgApp v2 \(i\/o timeout\)/) !== undefined,
    );
    await until("a is told", () => a.unreachable.includes(b.id));
    await stopAll(members);
  });

  it("talk over TLS, each showing its certificate", async () => {
    const ca = certificates.authority;
    const options = (server: { cert: string; key: string }) => ({
      serverTls: { ...server, ca, requestCert: true, rejectUnauthorized: true },
      tls: { options: () => ({ ...certificates.client, ca }) },
    });
    const a = await TestMember.start({ id: 1, ...options(certificates.server1) });
    const b = await TestMember.start({ id: 2, ...options(certificates.server2) });
    const stranger = await TestMember.start({ id: 3, tls: { options: () => ({ ca }) } });
    assert.match(a.url, /^https:/);
    for (const member of [a, b]) introduce(member, [a, b]);
    stranger.transport.addPeer(a.id, [a.url]);
    a.transport.addPeer(stranger.id, [stranger.url]);
    await untilConnected([b], 2);
    a.transport.send([append(a, b, 1, 10, 1_000)]);
    b.database = [new Uint8Array(500_000).fill(3)];
    b.transport.send([snapshotMessage(b, a, 9), heartbeat(b, a)]);
    await until("all have come", () => b.received.length === 1 && a.received.length === 2);
    assert.deepEqual(a.snapshots.get(9), new Uint8Array(500_000).fill(3));
    await until("a stranger fails", () => stranger.logged(/peer deactivated again/) !== undefined);
    assert.equal(stranger.transport.activePeers, 0);
    await stopAll([a, b, stranger]);
  });

  it("talk over unix sockets", async () => {
    const dir = await mkdtemp(join(tmpdir(), "etclite-peer-"));
    const members: TestMember[] = [];
    for (const id of [1, 2])
      members.push(await TestMember.start({ id, listenUrl: `unix://${dir}/${id}.sock` }));
    const [a, b] = members as [TestMember, TestMember];
    for (const member of members) introduce(member, members);
    await untilConnected(members);
    a.transport.send([heartbeat(a, b)]);
    await until("it has come", () => b.received.length === 1);
    await stopAll(members);
    await rm(dir, { recursive: true });
  });

  it("measure the round trip", async () => {
    const members = await startMembers(2);
    const [a] = members as [TestMember, TestMember];
    const pattern = /^etcd_network_peer_round_trip_time_seconds_count\{To="2"\} [1-9]/m;
    await until("it is measured", () => pattern.test(a.metrics.expose()));
    await stopAll(members);
  });
});

describe("snapshots", () => {
  const piece = (fill: number, bytes: number) => new Uint8Array(bytes).fill(fill);

  it("are brought with their database", async () => {
    const members = await startMembers(2);
    const [a, b] = members as [TestMember, TestMember];
    await untilConnected(members);
    a.database = [piece(1, 10), piece(2, 3_000_000), piece(3, 1), new Uint8Array(0), piece(4, 70_000)];
    a.transport.send([snapshotMessage(a, b, 42)]);
    await until("it has come", () => a.snapshotStatus.length === 1);
    assert.deepEqual(a.snapshotStatus, [{ id: b.id, ok: true }]);
    assert.deepEqual(b.received, [snapshotMessage(a, b, 42)]);
    assert.equal(Buffer.compare(b.snapshots.get(42)!, joined([...(a.database as Uint8Array[])])), 0);
    assert.equal(a.closedSnapshots, 1);
    // One that the server has opened itself.
    const chunks = (async function* () {
      yield piece(5, 5);
    })();
    const opened = { snapshot: snapshotMessage(a, b, 44).snapshot!, sizeBytes: 5, chunks };
    const outcomes: string[] = [];
    const close = async () => void outcomes.push("closed");
    a.transport.sendSnapshot(
      snapshotMessage(a, b, 43),
      { ...opened, close },
      (ok) => void outcomes.push(String(ok)),
    );
    assert.equal(outcomes.length, 0);
    await until("it is told", () => outcomes.length === 2);
    assert.deepEqual(outcomes, ["closed", "true"]);
    assert.deepEqual(b.snapshots.get(44), piece(5, 5));
    const nobody = { ...snapshotMessage(a, b, 43), to: 99n as MemberId };
    a.transport.sendSnapshot(nobody, { ...opened, close }, (ok) => void outcomes.push(String(ok)));
    await until("it is told", () => outcomes.length === 4);
    assert.deepEqual(outcomes.slice(2), ["closed", "false"]);
    assert.equal(a.snapshotStatus.length, 1);
    assert.match(a.metrics.expose(), /^etcd_network_snapshot_send_success\{To="2"\} 2$/m);
    assert.match(b.metrics.expose(), /^etcd_network_snapshot_receive_success\{From="1"\} 2$/m);
    await stopAll(members);
  });

  it("of many megabytes pass in constant memory", async () => {
    let written = 0;
    let held = 0;
    let heldMax = 0;
    const snapshotSink = {
      open: async () => ({
        // A slow disk.
        write: async (chunk: Uint8Array) => {
          held += chunk.length;
          heldMax = Math.max(heldMax, held);
          await new Promise((resolve) => setTimeout(resolve, 1));
          held -= chunk.length;
          written += chunk.length;
        },
        commit: async () => {},
        abort: async () => {},
      }),
    };
    const a = await TestMember.start({ id: 1 });
    const b = await TestMember.start({ id: 2, snapshotSink });
    introduce(a, [b]);
    introduce(b, [a]);
    await untilConnected([a, b]);
    let made = 0;
    let ahead = 0;
    async function* database() {
      for (let i = 0; i < 1_000; i++) {
        made += 100_000;
        ahead = Math.max(ahead, made - written);
        yield piece(i, 100_000);
      }
    }
    a.database = database();
    a.transport.send([snapshotMessage(a, b, 42)]);
    await until("it has come", () => a.snapshotStatus.length === 1);
    assert.deepEqual(a.snapshotStatus, [{ id: b.id, ok: true }]);
    assert.equal(written, 100_000_000);
    assert.ok(heldMax < 3_000_000, `${heldMax} bytes at once`);
    // What is neither here nor there is in the system's buffers.
    assert.ok(ahead < 30_000_000, `the source was ${ahead} bytes ahead`);
    await stopAll([a, b]);
  });

  it("that fail are reported", async () => {
    const members = await startMembers(2);
    const [a, b] = members as [TestMember, TestMember];
    await untilConnected(members);
    a.database = (async function* () {
      yield piece(1, 100_000);
      throw new Error("the disk is gone");
    })();
    a.transport.send([snapshotMessage(a, b, 42)]);
    await until("it is reported", () => a.snapshotStatus.length === 1);
    assert.deepEqual(a.snapshotStatus, [{ id: b.id, ok: false }]);
    await until("what came is thrown away", () => b.aborted === 1);
    assert.deepEqual([b.received, [...b.snapshots], a.closedSnapshots], [[], [], 1]);
    // To nobody, too.
    a.transport.send([{ ...snapshotMessage(a, b, 43), to: 99n as MemberId }]);
    await until("it is reported", () => a.snapshotStatus.length === 2);
    assert.equal(a.snapshotStatus[1]!.ok, false);
    await stopAll(members);
  });

  it("are refused by a member that cannot keep them", async () => {
    const full = async () => {
      throw new Error("no space left on device");
    };
    const snapshotSink = { open: async () => ({ write: full, commit: full, abort: async () => {} }) };
    const a = await TestMember.start({ id: 1 });
    const b = await TestMember.start({ id: 2, snapshotSink });
    introduce(a, [b]);
    introduce(b, [a]);
    await untilConnected([a, b]);
    a.database = Array.from({ length: 200 }, (_, i) => piece(i, 100_000));
    a.transport.send([snapshotMessage(a, b, 42)]);
    await until("it is reported", () => a.snapshotStatus.length === 1);
    assert.equal(a.snapshotStatus[0]!.ok, false);
    assert.ok(a.logged(/failed to send database snapshot.*no space left on device/));
    assert.deepEqual(b.received, []);
    await stopAll([a, b]);
  });
});
