/**
 * `bun test/conformance/peers/run.ts`: a member with our Raft and our transport in a cluster of real etcds. Needs go the
 * first time, to build etcd.
 */
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { MemberId, RaftIndex } from "../../../src/lib/ids.ts";
import { createLogger, type Logger } from "../../../src/lib/logger.ts";
import { formatId } from "../../../src/membership/member.ts";
import { exec, mustExec } from "../../support/exec.ts";
import { freePort } from "../../support/ports.ts";
import { eventually, Report, skip } from "../../support/report.ts";
import { scratchFolder } from "../../support/scratch.ts";
import { cleanEnvironment, ServerProcess } from "../../support/server-process.ts";
import { tool } from "../../support/tools.ts";
import { BareMember, pretendedTtlSeconds } from "./bare-member.ts";

const { values: options } = parseArgs({
  options: {
    keep: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

/** A snapshot after so many entries, and so many kept behind it: a member that joins needs a snapshot soon. */
const snapshotFlags = ["--snapshot-count=100", "--snapshot-catchup-entries=20"];

class EtcdMember {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly folder: string;
  process!: ServerProcess;

  constructor(name: string, ports: readonly [number, number], folder: string) {
    this.name = name;
    [this.clientPort, this.peerPort] = ports;
    this.folder = folder;
  }

  get clientUrl(): string {
    return `http://127.0.0.1:${this.clientPort}`;
  }
  get peerUrl(): string {
    return `http://127.0.0.1:${this.peerPort}`;
  }

  async start(initialCluster: string, state: "new" | "existing"): Promise<void> {
    const { clientPort, peerPort, folder } = this;
    const flags = [
      `--name=${this.name}`,
      `--initial-cluster=${initialCluster}`,
      `--initial-cluster-state=${state}`,
      ...snapshotFlags,
    ];
    this.process = await ServerProcess.start({
      program: await tool("etcd"),
      folder,
      clientPort,
      peerPort,
      flags,
    });
  }

  log(): string {
    return readFileSync(join(this.folder, "log"), "utf8");
  }
}

const report = new Report();
const folder = scratchFolder("peers", options);
const etcdctl = await tool("etcdctl");
const ports = async (): Promise<[number, number]> => [await freePort(), await freePort()];
const a = new EtcdMember("a", await ports(), join(folder, "a"));
const b = new EtcdMember("b", await ports(), join(folder, "b"));
const ourUrl = `http://127.0.0.1:${await freePort()}`;
const warnings: string[] = [];
let ours!: BareMember;

function loggerOf(): Logger {
  return createLogger({
    sink: {
      write: (line) => {
        if (/"level":"(?:warn|error)"/.test(line)) warnings.push(line);
        if (options.verbose) process.stderr.write(line);
      },
    },
    wallMs: () => Date.now(),
    level: options.verbose ? "debug" : "info",
  });
}

async function ctl(member: EtcdMember, ...args: string[]): Promise<string> {
  const result = await mustExec(
    etcdctl,
    [`--endpoints=${member.clientUrl}`, "--command-timeout=10s", ...args],
    {
      env: cleanEnvironment(),
    },
  );
  return result.stdout;
}

/** etcd's word for how it stands. */
async function statusOf(member: EtcdMember): Promise<{ leader: bigint; appliedIndex: number; id: bigint }> {
  const text = await ctl(member, "endpoint", "status", "-w", "json");
  const number = (name: string): bigint => BigInt(new RegExp(`"${name}":(\\d+)`).exec(text)?.[1] ?? 0);
  return {
    leader: number("leader"),
    appliedIndex: Number(number("raftAppliedIndex")),
    id: number("member_id"),
  };
}

async function put(member: EtcdMember, key: string, value: string): Promise<void> {
  await ctl(member, "put", key, value);
}

const ourValue = (key: string): string | undefined => {
  const value = ours.values.get(key);
  return value && new TextDecoder().decode(value);
};

/** Puts again and again until one goes through: while there is no leader they fail. */
async function putSoon(member: EtcdMember, key: string, value: string): Promise<void> {
  await eventually(
    `a put through ${member.name} goes through`,
    async () => {
      const args = [`--endpoints=${member.clientUrl}`, "--command-timeout=2s", "put", key, value];
      return (await exec(etcdctl, args, { env: cleanEnvironment() })).status === 0;
    },
    { timeoutMs: 30_000 },
  );
}

/** A's database, when it has applied what we have: nothing may happen meanwhile. */
async function databaseAt(index: RaftIndex): Promise<Uint8Array> {
  const status = await statusOf(a);
  assert.equal(status.appliedIndex, index, "etcd has applied something else");
  const file = join(folder, "saved.db");
  rmSync(file, { force: true });
  await ctl(a, "snapshot", "save", file);
  const bytes = readFileSync(file);
  // Behind the database comes its checksum, which members do not send each other.
  assert.equal(bytes.length % 512, 32);
  return bytes.subarray(0, bytes.length - 32);
}

/** As `ctl`, until it works: a cluster is not healthy enough for changes until its members have been seen for a while. */
async function ctlSoon(member: EtcdMember, ...args: string[]): Promise<void> {
  const all = [`--endpoints=${member.clientUrl}`, "--command-timeout=5s", ...args];
  let why = "";
  await eventually(
    `etcdctl ${args.join(" ")} works`,
    async () => {
      const result = await exec(etcdctl, all, { env: cleanEnvironment() });
      why = result.stderr;
      return result.status === 0;
    },
    { timeoutMs: 20_000, everyMs: 500 },
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${why}`);
  });
}

/** One check after the other, as they build on each other. */
async function step(name: string, body: () => Promise<void>): Promise<void> {
  await report.check(name, async () => {
    if (report.failures.length > 0) skip("an earlier step failed");
    await body();
  });
}

const initial = `a=${a.peerUrl},b=${b.peerUrl}`;
await Promise.all([a.start(initial, "new"), b.start(initial, "new")]);
await Promise.all([a.process.ready(), b.process.ready()]);

await step("etcd sends a member of ours its snapshot", async () => {
  for (let i = 0; i < 150; i++) await put(a, `early ${i}`, "x");
  await ctlSoon(a, "member", "add", "ours", `--peer-urls=${ourUrl}`);
  ours = await BareMember.join({
    url: ourUrl,
    others: [a.peerUrl, b.peerUrl],
    folder: join(folder, "ours"),
    logger: loggerOf(),
    database: databaseAt,
  });
  await eventually("a snapshot came", () => ours.snapshots.length > 0);
  const file = ours.sink.pathOf(ours.snapshots[0] as RaftIndex);
  const text = (await mustExec(await tool("etcdutl"), ["snapshot", "status", file, "-w", "json"])).stdout;
  const { totalKey, revision } = JSON.parse(text) as { totalKey: number; revision: number };
  assert.ok(totalKey >= 100 && revision >= 100, text);
});

await step("etcd sends it appends and heartbeats, over both streams", async () => {
  const { leader } = await statusOf(a);
  await eventually("we know the leader", () => ours.node.leader === leader);
  for (let i = 0; i < 20; i++) await put(i % 2 === 0 ? a : b, `key ${i}`, `value ${i}`);
  await eventually("all is applied", () => ourValue("key 19") === "value 19");
  for (let i = 0; i < 20; i++) assert.equal(ourValue(`key ${i}`), `value ${i}`);
  const before = ours.received.messages;
  await eventually("heartbeats come", () => ours.received.messages > before + 5);
  const leading = leader === (await statusOf(a)).id ? a : b;
  for (const type of ["stream MsgApp v2", "stream Message"]) {
    const line = new RegExp(
      `established TCP streaming connection with remote peer","stream-writer-type":"${type}".*"remote-peer-id":"${formatId(ours.id)}"`,
    );
    assert.match(leading.log(), line);
  }
});

await step("etcd takes a proposal from it", async () => {
  assert.match(await ctl(a, "member", "list"), new RegExp(`^${formatId(ours.id)}, unstarted,`, "m"));
  ours.publish("ours");
  const started = new RegExp(`^${formatId(ours.id)}, started, ours, ${ourUrl}, ${ourUrl}, false$`, "m");
  await eventually("it is started", async () => started.test(await ctl(a, "member", "list")));
});

await step("large values come through", async () => {
  const value = "v".repeat(1_000_000);
  await mustExec(etcdctl, [`--endpoints=${a.clientUrl}`, "put", "large"], {
    env: cleanEnvironment(),
    input: value,
  });
  await eventually("it is applied", () => ourValue("large") === value);
});

await step("its acknowledgements commit, with one etcd down", async () => {
  const { leader, id } = await statusOf(a);
  const [leading, other] = leader === id ? [a, b] : [b, a];
  await other.process.kill();
  for (let i = 0; i < 10; i++) await put(leading, `two ${i}`, "of three");
  await eventually("all is applied", () => ourValue("two 9") === "of three");
  await other.start(initial, "existing");
  await other.process.ready();
});

await step("its vote elects, when the leader goes down", async () => {
  const { leader, id } = await statusOf(a);
  // If it leads itself by now, this asks nothing of its vote.
  assert.notEqual(leader, ours.id);
  const [leading, other] = leader === id ? [a, b] : [b, a];
  await leading.process.kill();
  await putSoon(other, "after", "election");
  await eventually("it is applied", () => ourValue("after") === "election");
  assert.notEqual(ours.node.leader, leader);
  await leading.start(initial, "existing");
  await leading.process.ready();
});

await step("it leads etcds, when leadership is handed to it", async () => {
  const { leader, id } = await statusOf(a);
  if (leader !== ours.id) await ctl(leader === id ? a : b, "move-leader", formatId(ours.id));
  await eventually("it leads", () => ours.node.role === "leader");
  for (const member of [a, b]) {
    await eventually(`${member.name} knows`, async () => (await statusOf(member)).leader === ours.id);
  }
  for (let i = 0; i < 50; i++) await put(i % 2 === 0 ? a : b, `led ${i}`, `by us ${i}`);
  assert.equal(await ctl(b, "get", "led 48", "--print-value-only"), "by us 48\n");
  assert.equal(await ctl(a, "get", "led 49", "--print-value-only"), "by us 49\n");
});

await step("it replicates large appends to etcds", async () => {
  const values = Array.from({ length: 40 }, (_, i) => `${i}:${"w".repeat(200_000)}`);
  const env = cleanEnvironment();
  const puts = values.map((value, i) =>
    mustExec(etcdctl, [`--endpoints=${(i % 2 === 0 ? a : b).clientUrl}`, "put", `bulk ${i}`], {
      env,
      input: value,
    }),
  );
  await Promise.all(puts);
  for (const member of [a, b]) {
    const text = await ctl(member, "get", "bulk ", "--prefix", "--print-value-only", "--consistency=s");
    assert.deepEqual(text.trimEnd().split("\n").sort(), values.toSorted());
  }
  const both = `--endpoints=${a.clientUrl},${b.clientUrl}`;
  const hashes = (await mustExec(etcdctl, [both, "endpoint", "hashkv", "-w", "json"], { env })).stdout;
  const found = [...hashes.matchAll(/"hash":(\d+)/g)].map(([, hash]) => hash);
  assert.equal(found.length, 2);
  assert.equal(found[0], found[1]);
});

await step("etcds ask it about leases, as their leader", async () => {
  const granted = /lease ([0-9a-f]+) granted/.exec(await ctl(a, "lease", "grant", "600"))?.[1] as string;
  for (const member of [a, b]) {
    const kept = await ctl(member, "lease", "keep-alive", "--once", granted);
    assert.match(kept, new RegExp(`keepalived with TTL\\(${pretendedTtlSeconds}\\)`));
    const left = await ctl(member, "lease", "timetolive", granted, "--keys");
    assert.match(
      left,
      new RegExp(`TTL\\(${pretendedTtlSeconds + 1}s\\), remaining\\(${pretendedTtlSeconds}s\\)`),
    );
    assert.ok(left.includes(`key of ${BigInt(`0x${granted}`)}`), left);
  }
});

await step("etcd takes a snapshot from it", async () => {
  const { id } = await statusOf(b);
  await b.process.kill();
  await ctlSoon(a, "member", "remove", formatId(id));
  rmSync(b.process.dataFolder, { recursive: true });
  await ctlSoon(a, "member", "add", "b", `--peer-urls=${b.peerUrl}`);
  await eventually("we have applied that", () =>
    [...ours.members.values()].some((member) => member.name === "" && member.id !== id),
  );
  await eventually("a has too", async () => (await statusOf(a)).appliedIndex === ours.node.appliedIndex);
  ours.compact();
  await b.start(`a=${a.peerUrl},b=${b.peerUrl},ours=${ourUrl}`, "existing");
  await b.process.ready();
  assert.match(b.log(), /received and saved database snapshot/);
  assert.match(b.log(), /applied snapshot/);
  await put(a, "after the snapshot", "too");
  await eventually("b has what was before and after", async () => {
    const text = await ctl(b, "get", "", "--prefix", "--keys-only", "--consistency=s");
    return /^early 149$/m.test(text) && /^after the snapshot$/m.test(text);
  });
  assert.match(ours.metrics.expose(), /^etcd_network_snapshot_send_success\{To="[0-9a-f]+"\} 1$/m);
});

await step("it hands leadership back, and is told when it is removed", async () => {
  const { id } = await statusOf(a);
  ours.node.transferLeader(id as MemberId);
  await eventually("a leads", async () => (await statusOf(a)).leader === id);
  await ctlSoon(a, "member", "remove", formatId(ours.id));
  await eventually("it is told", () => ours.isRemoved, { timeoutMs: 20_000 });
  await put(a, "without", "us");
});

await ours?.stop();
await Promise.all([a.process.kill(), b.process.kill()]);
if (report.failures.length > 0) console.log(warnings.slice(-20).join(""));
report.finish();
