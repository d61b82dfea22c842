/** etcdctl compaction, endpoint, defrag, member, alarm, check perf, make-mirror. */
import assert from "node:assert/strict";
import { eventually, skip } from "../../support/report.ts";
import type { CtlContext, JsonHeader } from "./ctl.ts";

export async function maintenanceChecks(context: CtlContext): Promise<void> {
  await compactionChecks(context);
  await endpointChecks(context);
  await memberChecks(context);
  await mirrorCheck(context);
  await performanceCheck(context);
}

async function compactionChecks({ ctl, report }: CtlContext): Promise<void> {
  const compacted = "etcdserver: mvcc: required revision has been compacted";
  for (const physical of [false, true]) {
    await report.check(`compaction${physical ? " --physical" : ""}`, async () => {
      const first = await ctl.put("compact/a", "1");
      const second = await ctl.put("compact/a", "2");
      await ctl.put("compact/a", "3");
      const args = physical ? ["compaction", "--physical"] : ["compaction"];
      assert.equal(await ctl.ok([...args, String(second)]), `compacted revision ${second}\n`);
      await ctl.fails(["get", `--rev=${first}`, "compact/a"], compacted, 1);
      assert.equal(await ctl.ok(["get", `--rev=${second}`, "--print-value-only", "compact/a"]), "2\n");
      assert.equal(await ctl.ok(["get", "--print-value-only", "compact/a"]), "3\n");
      await ctl.fails(["compaction", String(second)], compacted, 1);
      await ctl.fails(["compaction", String(first)], compacted, 1);
    });
  }
  await report.check("compaction of the future is refused", async () => {
    const now = await ctl.put("compact/b", "1");
    await ctl.fails(
      ["compaction", String(now + 1000)],
      "etcdserver: mvcc: required revision is a future revision",
      1,
    );
  });
}

interface JsonStatus {
  readonly Endpoint: string;
  readonly Status: JsonHeader & {
    readonly version: string;
    readonly storageVersion: string;
    readonly dbSize: number;
    readonly dbSizeInUse: number;
    readonly dbSizeQuota: number;
    readonly leader: number;
    readonly raftIndex: number;
    readonly raftTerm: number;
    readonly raftAppliedIndex: number;
    readonly errors?: string[];
  };
}

async function endpointChecks({ ctl, report }: CtlContext): Promise<void> {
  await report.check("endpoint health", async () => {
    const result = await ctl.run(["endpoint", "health"]);
    const healthy = `${ctl.endpoint} is healthy: successfully committed proposal: took = `;
    assert.ok(result.stdout.startsWith(healthy) || result.stderr.startsWith(healthy), result.stdout);
    const [health] = await ctl.json<{ endpoint: string; health: boolean }[]>(["endpoint", "health"]);
    assert.deepEqual([health?.endpoint, health?.health], [ctl.endpoint, true]);
    const cluster = await ctl.json<{ health: boolean }[]>(["endpoint", "health", "--cluster"]);
    assert.deepEqual(
      cluster.map((entry) => entry.health),
      [true],
    );
  });
  await report.check("endpoint status", async () => {
    const [first] = await ctl.json<JsonStatus[]>(["endpoint", "status"]);
    const revision = await ctl.put("status/a", "1");
    const [second] = await ctl.json<JsonStatus[]>(["endpoint", "status"]);
    const status = second?.Status;
    assert.ok(first && status);
    assert.equal(status.version, "3.7.3");
    assert.equal(status.storageVersion, "3.7.0");
    assert.equal(status.header.revision, revision);
    assert.equal(status.leader, status.header.member_id);
    assert.equal(status.raftTerm, status.header.raft_term);
    assert.ok(status.raftIndex > first.Status.raftIndex, "the index grows");
    assert.ok(status.raftAppliedIndex <= status.raftIndex && status.raftAppliedIndex > 0);
    assert.ok(status.dbSize > 0 && status.dbSizeInUse > 0 && status.dbSizeInUse <= status.dbSize);
    assert.equal(status.dbSizeQuota, 2 * 1024 ** 3);
    assert.equal(status.errors, undefined);
  });
  await report.check("endpoint status in other formats", async () => {
    const line = await ctl.ok(["endpoint", "status"]);
    const words = line.trim().split(", ");
    assert.deepEqual([words[0], words[2], words[3]], [ctl.endpoint, "3.7.3", "3.7.0"]);
    assert.match(words[1] as string, /^[0-9a-f]{1,16}$/);
    assert.deepEqual(words.slice(8, 10), ["true", "false"]); // leader, learner
    assert.match(await ctl.ok(["endpoint", "status", "-w", "table"]), /STORAGE VERSION/);
    assert.ok((await ctl.lines(["endpoint", "status", "-w", "fields"])).includes('"Version" : "3.7.3"'));
  });
  await report.check("endpoint hashkv", async () => {
    interface JsonHash {
      HashKV: { hash: number; hash_revision: number; compact_revision?: number };
    }
    const revision = await ctl.put("hash/a", "1");
    const hash = async (...args: string[]) =>
      (await ctl.json<JsonHash[]>(["endpoint", "hashkv", ...args]))[0]?.HashKV;
    const now = await hash();
    assert.equal(now?.hash_revision, revision);
    assert.ok((now?.hash ?? 0) > 0);
    await ctl.put("hash/a", "2");
    const later = await hash();
    assert.notEqual(later?.hash, now?.hash);
    assert.equal((await hash(`--rev=${revision}`))?.hash, now?.hash, "the past does not change");
  });
  await report.check("defrag", async () => {
    const output = await ctl.ok(["defrag"]);
    assert.ok(output.startsWith(`Finished defragmenting etcd member[${ctl.endpoint}]`), output);
    assert.equal(await ctl.ok(["get", "--print-value-only", "hash/a"]), "2\n");
  });
}

async function memberChecks({ ctl, report, server }: CtlContext): Promise<void> {
  await report.check("member list", async () => {
    const peer = `http://127.0.0.1:${server.peerPort}`;
    const line = (await ctl.ok(["member", "list"])).trim();
    const [id, ...rest] = line.split(", ");
    assert.match(id as string, /^[0-9a-f]{1,16}$/);
    assert.deepEqual(rest, ["started", "suite", peer, server.url, "false"]);
    const answer = await ctl.json<JsonHeader & { members: { ID: number; name: string }[] }>([
      "member",
      "list",
    ]);
    assert.deepEqual(
      answer.members.map((member) => member.name),
      ["suite"],
    );
    assert.equal(answer.members[0]?.ID, answer.header.member_id);
    assert.match(await ctl.ok(["member", "list", "-w", "table"]), /CLIENT ADDRS/);
  });
  await report.check("alarm list and disarm with none", async () => {
    assert.equal(await ctl.ok(["alarm", "list"]), "");
    assert.equal(await ctl.ok(["alarm", "disarm"]), "");
  });
}

async function mirrorCheck({ ctl, report }: CtlContext): Promise<void> {
  await report.check("make-mirror to another prefix", async () => {
    await ctl.put("mirror/a", "1");
    const args = ["make-mirror", "--prefix=mirror/", "--dest-prefix=mirrored/", ctl.endpoint];
    const mirror = ctl.start(args);
    const mirrored = (key: string) => ctl.ok(["get", "--print-value-only", `mirrored/${key}`]);
    try {
      await eventually("the old key is mirrored", async () => (await mirrored("a")) === "1\n");
      await ctl.put("mirror/b", "2");
      await eventually("the new key is mirrored", async () => (await mirrored("b")) === "2\n");
      await ctl.ok(["del", "mirror/a"]);
      await eventually("the delete is mirrored", async () => (await mirrored("a")) === "");
    } finally {
      await mirror.stop();
    }
  });
}

async function performanceCheck({ ctl, report, quick }: CtlContext): Promise<void> {
  await report.check(
    "check perf --load=s",
    async () => {
      if (quick) skip("takes a minute");
      const result = await ctl.run(["check", "perf", "--load=s"], { timeoutMs: 150_000 });
      assert.match(result.stdout, /PASS: Throughput is \d+ writes\/s/, result.stdout.slice(-600));
      assert.equal(result.status, 0, result.stdout.slice(-600));
      assert.deepEqual(await ctl.kvs(["--prefix", "/etcdctl-check-perf/"]), []);
    },
    180_000,
  );
}
