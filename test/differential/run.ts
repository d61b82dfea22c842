/**
 * `npm run differential`: the same random calls to etcd and to the compiled program, each alone, over gRPC. All that they
 * answer must be equal, errors and headers and what watches are told included, byte by byte where etcd itself would
 * always answer the same bytes.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fromBinary } from "@bufbuild/protobuf";
import * as rpc from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { Random, seedFrom } from "../support/random.ts";
import {
  commonHelp,
  commonOptions,
  keepScratchFolders,
  scratchFolder,
  serverProgram,
} from "../support/scratch.ts";
import { tool } from "../support/tools.ts";
import { RandomAuth } from "./auth.ts";
import { comparable } from "./comparable.ts";
import { LargeValues } from "./large.ts";
import { type Outcome, Pair, type Two } from "./pair.ts";
import { type Call, call, electionLease, numbered, RandomRequests } from "./requests.ts";
import { RandomWatches } from "./watches.ts";

const { values } = parseArgs({
  options: {
    ...commonOptions,
    help: { type: "boolean", short: "h", default: false },
    etcd: { type: "string" },
    seed: { type: "string" },
    calls: { type: "string", default: "1500" },
    minutes: { type: "string", default: "1" },
  },
});
if (values.help) {
  console.log(`usage: npm run differential -- [options]\n${commonHelp}
  --etcd PATH     the etcd to compare with (default: built from test/tools/etcd)
  --minutes N     begin with fresh servers again and again for so long (default: 1)
  --calls N       so many calls to each pair of servers (default: 1500)
  --seed N        of the first pair; each further one has the next`);
  process.exit(0);
}

const folder = scratchFolder("differential", values);
const programs = { etcd: values.etcd ?? (await tool("etcd")), ours: serverProgram(values.server) };
const wholeTest = [
  call("KV/Range", rpc.RangeRequestSchema, { key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) }),
  call("Lease/LeaseLeases", rpc.LeaseLeasesRequestSchema, {}),
  call("Maintenance/HashKV", rpc.HashKVRequestSchema, {}),
  call("Maintenance/Alarm", rpc.AlarmRequestSchema, {}),
];
/** Who has an alarm is not healthy after a start. */
const disarms = () =>
  [0n, 5n].flatMap((memberID) =>
    [1, 9].map((alarm) =>
      call("Maintenance/Alarm", rpc.AlarmRequestSchema, {
        action: rpc.AlarmRequest_AlarmAction.DEACTIVATE,
        memberID,
        alarm: numbered<rpc.AlarmType>(alarm),
      }),
    ),
  );
const tally = new Map<string, number>();

/** What the generator has to know, from what etcd answered. */
function learn(requests: RandomRequests, sent: Call, answer: Outcome): void {
  const standing = requests.standing;
  const [bytes] = answer.answers;
  if (answer.code !== 0 || bytes === undefined) return;
  if (/KV\/(Put|DeleteRange|Txn)$|LeaseRevoke$/.test(sent.path))
    // Every answer begins with its header.
    standing.revision = fromBinary(rpc.CompactionResponseSchema, bytes).header!.revision;
  const [message] = sent.messages;
  if (message === undefined) return;
  if (sent.path.endsWith("KV/Compact"))
    standing.compacted = fromBinary(rpc.CompactionRequestSchema, message).revision;
  if (sent.path.endsWith("/LeaseGrant")) {
    const { ID } = fromBinary(rpc.LeaseGrantResponseSchema, bytes);
    if (ID !== electionLease) standing.leases.add(ID);
  }
  if (sent.path.endsWith("/LeaseRevoke"))
    standing.leases.delete(fromBinary(rpc.LeaseRevokeRequestSchema, message).ID);
}

/** For the revision of a compaction etcd may answer what it hashed while it compacted, from the one before on. */
function hashOfCompaction(path: string, etcd: Outcome, ours: Outcome): boolean {
  const [a, b] = [etcd.answers[0], ours.answers[0]];
  if (!path.endsWith("/HashKV") || a === undefined || b === undefined) return false;
  const from = (bytes: Uint8Array) => fromBinary(rpc.HashKVResponseSchema, bytes).compactRevision;
  return from(a) !== from(b);
}

async function compare(pair: Pair, sent: Call, tokens?: Two<string>): Promise<Outcome> {
  const [etcd, ours] = await pair.ask(sent.path, sent.messages, tokens);
  return same(sent, etcd, ours);
}

function same(sent: Call, etcd: Outcome, ours: Outcome): Outcome {
  const outcome = `${sent.path} ${etcd.code} ${etcd.message}`;
  tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
  if (hashOfCompaction(sent.path, etcd, ours)) return etcd;
  const [expected, got] = [comparable(sent.path, etcd), comparable(sent.path, ours)];
  if (expected !== got)
    throw new Error(`${sent.text}\netcd answers\n${expected}\nand the server under test\n${got}`);
  return etcd;
}

async function oneSeed(seed: number, count: number): Promise<void> {
  const random = new Random(seed);
  const pair = await Pair.start({ ...programs, folder: join(folder, String(seed)) });
  const requests = new RandomRequests(random);
  const watches = new RandomWatches(random, requests, pair);
  let at = 0;
  try {
    for (; at < count; at++) {
      if (random.chance(0.06)) await watches.step();
      const sent = requests.next();
      const answer = await compare(pair, sent);
      appendFileSync(
        join(folder, String(seed), "calls"),
        `${at} ${sent.text}\n${comparable(sent.path, answer)}\n`,
      );
      learn(requests, sent, answer);
      await watches.settle();
    }
    for (const sent of wholeTest) await compare(pair, sent);
    watches.closeAll();
    for (const sent of disarms()) await compare(pair, sent);
    const large = new LargeValues(random, pair, async (sent) =>
      learn(requests, sent, await compare(pair, sent)),
    );
    await large.run(requests.standing.revision);
    at = await withAuth(pair, random, requests, (sent, answer) => {
      appendFileSync(join(folder, String(seed), "calls"), `${sent.text}\n${comparable(sent.path, answer)}\n`);
      learn(requests, sent, answer);
    });
    for (const sent of disarms()) await compare(pair, sent);
    await pair.restart();
    for (const sent of wholeTest) await compare(pair, sent);
  } catch (error) {
    const ended = pair.ended();
    throw new Error(
      `seed ${seed}, call ${at}: ${(error as Error).message}${ended === undefined ? "" : `\n${ended}`}`,
    );
  } finally {
    await pair.stop().catch(() => undefined);
  }
}

/** A quarter as many calls with users and roles, until authentication is off again. */
async function withAuth(
  pair: Pair,
  random: Random,
  requests: RandomRequests,
  heard: (sent: Call, answer: Outcome) => void,
): Promise<number> {
  const auth = new RandomAuth(random, requests);
  for (const sent of RandomAuth.beginning) heard(sent, await compare(pair, sent));
  const login = async (name: string, password: string) => {
    const [etcd, ours] = await auth.authenticate(pair, name, password);
    const path = "/etcdserverpb.Auth/Authenticate";
    same({ path, messages: [], text: `${path} ${name} ${password}` }, etcd, ours);
  };
  await login("root", "p");
  const count = Number(values.calls) / 4;
  for (let i = 0; i < count; i++) {
    if (random.chance(0.1)) await login(...auth.login());
    const sent = auth.next();
    heard(sent, await compare(pair, sent, auth.token()));
  }
  await login("root", "p");
  const off = call("Auth/AuthDisable", rpc.AuthDisableRequestSchema, {});
  heard(off, await compare(pair, off, auth.newest));
  return count;
}

const untilMs = performance.now() + Number(values.minutes) * 60_000;
let seed = seedFrom(values.seed);
let seeds = 0;
let failures = 0;
do {
  try {
    await oneSeed(seed, Number(values.calls));
  } catch (error) {
    failures++;
    keepScratchFolders();
    console.log(`FAIL ${(error as Error).message}`);
  }
  seed = (seed + 1) >>> 0;
  seeds++;
} while (performance.now() < untilMs && failures < 5);
const calls = [...tally.values()].reduce((sum, count) => sum + count, 0);
for (const [outcome, count] of [...tally].sort()) console.log(String(count).padStart(7), outcome);
console.log(`${seeds} seeds, ${calls} calls, ${failures} seeds failed`);
process.exit(failures === 0 ? 0 : 1);
