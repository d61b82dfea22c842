/**
 * What the transport between members can do, alone: one process sends, another receives.
 * `bun bench/peers.ts [--seconds N]`; also with node and deno. Figures are in src/transport/peer/DESIGN.md.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { ClusterId, MemberId, RaftIndex, Term } from "../src/lib/ids.ts";
import { Metrics } from "../src/lib/metrics.ts";
import type { Entry } from "../src/lib/raft-entry.ts";
import { type Message, MessageType, makeMessage } from "../src/lib/raft-message.ts";
import { silentLogger } from "../src/lib/testing/silent-logger.ts";
import { systemClock } from "../src/runtime/system-clock.ts";
import { PeerServer } from "../src/transport/peer/peer-server.ts";
import { PeerTransport } from "../src/transport/peer/peer-transport.ts";
import { createPeerRoutes } from "../src/transport/peer/routes.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "2" },
    "receive-from": { type: "string" },
    port: { type: "string", default: "0" },
  },
});
const sender = 1n as MemberId;
const receiver = 2n as MemberId;
const term = 1 as Term;

async function startMember(id: MemberId, onMessages: (messages: readonly Message[]) => void) {
  const nothing = () => {};
  const none = () => Promise.reject(new Error("none"));
  const transport = new PeerTransport({
    localId: id,
    clusterId: 7n as ClusterId,
    localUrls: [],
    raft: {
      onMessages,
      onSnapshot: none,
      onUnreachable: () => {
        losses++;
      },
      onSnapshotStatus: nothing,
      isRemoved: () => false,
      onLocalRemoved: nothing,
    },
    snapshotSink: { open: none },
    clock: systemClock,
    logger: silentLogger,
    metrics: new Metrics(),
    dialTimeoutMs: 1_000,
  });
  const members = { members: () => [], versions: () => ({ etcdserver: "", etcdcluster: "", storage: "" }) };
  const routes = createPeerRoutes({ transport, members, clock: systemClock, logger: silentLogger });
  const server = new PeerServer({ routes, clock: systemClock, logger: silentLogger });
  const [listener] = await server.listenAll([`http://127.0.0.1:${values.port}`]);
  return { transport, url: `http://127.0.0.1:${listener?.port}` };
}

let losses = 0;

/** The other process: answers each message with how many it has, at most once a turn. */
async function receive(senderUrl: string): Promise<void> {
  let messages = 0;
  let entries = 0;
  let isScheduled = false;
  const { transport, url } = await startMember(receiver, (received) => {
    messages += received.length;
    for (const message of received) entries += message.entries.length;
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      const counts = { index: entries as RaftIndex, commit: messages as RaftIndex };
      transport.send([
        makeMessage({ type: MessageType.appResp, from: receiver, to: sender, term, ...counts }),
      ]);
    });
  });
  transport.addPeer(sender, [senderUrl]);
  process.stdout.write(`${url}\n`);
  setInterval(() => {}, 1_000);
}

interface Load {
  readonly name: string;
  readonly make: (index: number) => Message;
  readonly messageBytes: number;
  /** Messages on their way at once. */
  readonly window: number;
}

function appends(count: number, bytes: number): (index: number) => Message {
  const data = new Uint8Array(bytes).fill(120);
  return (index) => {
    const entries: Entry[] = [];
    for (let i = 1; i <= count; i++) entries.push({ type: 0, term, index: (index + i) as RaftIndex, data });
    const at = { index: index as RaftIndex, logTerm: term, commit: index as RaftIndex, entries };
    return makeMessage({ type: MessageType.app, from: sender, to: receiver, term, ...at });
  };
}

const loads: readonly Load[] = [
  {
    name: "heartbeats",
    make: () => makeMessage({ type: MessageType.heartbeat, from: sender, to: receiver, term }),
    messageBytes: 0,
    window: 2_000,
  },
  { name: "appends of 1 entry of 256 B", make: appends(1, 256), messageBytes: 256, window: 500 },
  { name: "appends of 100 entries of 256 B", make: appends(100, 256), messageBytes: 25_600, window: 100 },
  { name: "appends of 1 entry of 1 MB", make: appends(1, 1_000_000), messageBytes: 1_000_000, window: 30 },
];

async function send(): Promise<void> {
  let acknowledged = 0;
  let wake = () => {};
  const { transport, url } = await startMember(sender, (received) => {
    for (const { commit } of received) acknowledged = Math.max(acknowledged, commit);
    wake();
  });
  const self = fileURLToPath(import.meta.url);
  const denoArgs = "deno" in process.versions ? ["run", "-A", "--no-check"] : [];
  const child = spawn(process.execPath, [...denoArgs, self, `--receive-from=${url}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const other = await new Promise<string>((resolve) =>
    child.stdout.once("data", (text: Buffer) => resolve(text.toString().trim())),
  );
  transport.addPeer(receiver, [other]);
  while (transport.activePeers === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await new Promise((resolve) => setTimeout(resolve, 500));
  let sent = 0;
  for (const { name, make, messageBytes, window } of loads) {
    let index = 1;
    const started = performance.now();
    const cpuBefore = process.cpuUsage();
    const before = sent;
    while (performance.now() - started < Number(values.seconds) * 1_000) {
      const batch: Message[] = [];
      while (sent - acknowledged < window) {
        const message = make(index);
        index += message.entries.length;
        batch.push(message);
        sent++;
      }
      if (batch.length > 0) transport.send(batch);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const seconds = (performance.now() - started) / 1_000;
    const rate = (sent - before) / seconds;
    const { user, system } = process.cpuUsage(cpuBefore);
    const cpu = ((user + system) / 1e6 / seconds) * 100;
    const entries = (index - 1) / seconds;
    console.log(
      `${name}: ${Math.round(rate)} messages/s, ${Math.round(entries)} entries/s, ` +
        `${((rate * messageBytes) / 1e6).toFixed(0)} MB/s of data, sender's CPU ${cpu.toFixed(0)} %, ${losses} losses`,
    );
  }
  child.kill();
  transport.stop();
  process.exit(0);
}

if (values["receive-from"] === undefined) await send();
else await receive(values["receive-from"]);
