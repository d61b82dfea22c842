/** A member in this process behind real sockets, where little room is left for answers. */
import { create, toBinary } from "@bufbuild/protobuf";
import { PutRequestSchema } from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { createHttpHandler } from "../../src/http/app.ts";
import { maxReceiveBytes, testHttpOptions } from "../../src/http/testing/test-app.ts";
import type { AnswerLimits } from "../../src/lib/answer-memory.ts";
import { HealthStatus } from "../../src/rpc/health.ts";
import { createRoutes } from "../../src/rpc/services.ts";
import { systemClock } from "../../src/runtime/system-clock.ts";
import type { EtcdServer } from "../../src/server/etcd-server.ts";
import { newLog, startTestServer } from "../../src/server/testing/test-server.ts";
import { RpcServer } from "../../src/transport/rpc-server.ts";
import { RawClient } from "../../src/transport/testing/raw-client.ts";
import { waitFor } from "../../src/transport/testing/wait-for.ts";
import { MemoryWal } from "../../src/wal/memory-wal.ts";

const KiB = 1024;

/** Small enough for a test to reach them. */
export const limits: AnswerLimits = {
  connectionBytes: 256 * KiB,
  serverBytes: 3 * KiB * KiB,
  largeBytes: 64 * KiB,
  patienceMs: 1000,
};

const settingInitialWindow = 4;
export const wideWindow = 2 ** 30;

export class BoundedServer {
  readonly server: EtcdServer;
  readonly ports: RpcServer;
  readonly port: number;
  readonly #clients: RawClient[] = [];

  private constructor(server: EtcdServer, ports: RpcServer, port: number) {
    this.server = server;
    this.ports = ports;
    this.port = port;
  }

  static async start(answerLimits: AnswerLimits = limits): Promise<BoundedServer> {
    const { server } = await startTestServer({
      clock: systemClock,
      openLog: newLog(new MemoryWal(systemClock)),
    });
    const routes = createRoutes(server, new HealthStatus());
    const ports = new RpcServer({
      routes,
      fetch: createHttpHandler({ ...testHttpOptions(routes), cors: [] }),
      limits: {
        maxReceiveBytes,
        maxConcurrentStreams: 1000,
        keepaliveMinTimeMs: 5000,
        keepaliveIntervalMs: 0,
        keepaliveTimeoutMs: 20_000,
      },
      answerLimits,
    });
    const { port } = await ports.listen("http://127.0.0.1:0");
    return new BoundedServer(server, ports, port!);
  }

  get usedBytes(): number {
    return this.ports.answers.usedBytes;
  }

  /** A client that takes nothing of an answer's body before it says so. */
  async unreading(): Promise<RawClient> {
    const client = await RawClient.open(this.port, [[settingInitialWindow, 0]]);
    this.#clients.push(client);
    await client.sync();
    return client;
  }

  async reading(): Promise<RawClient> {
    const client = await RawClient.open(this.port, [[settingInitialWindow, wideWindow]]);
    this.#clients.push(client);
    client.windowUpdate(0, wideWindow);
    await client.sync();
    return client;
  }

  /** From now on it takes everything. */
  read(client: RawClient): void {
    client.windowUpdate(0, wideWindow);
    client.settings([[settingInitialWindow, wideWindow]]);
  }

  /** So many keys, `prefix` and a number, with values of so many bytes. */
  async fill(prefix: string, keys: number, valueBytes = 1000): Promise<void> {
    const client = await this.reading();
    const value = new Uint8Array(valueBytes).fill(0x76);
    for (let i = 0; i < keys; i++) {
      const key = Buffer.from(`${prefix}${String(i).padStart(6, "0")}`);
      const message = toBinary(PutRequestSchema, create(PutRequestSchema, { key, value }));
      client.unary(2 * i + 1, "/etcdserverpb.KV/Put", message);
    }
    await client.answer(2 * keys - 1);
    client.destroy();
  }

  /** Each of so many calls of a method was answered, as far as we are concerned, or waits for room. */
  async atRest(path: string, calls: number): Promise<void> {
    const { handled } = this.ports.methods.get(path)!.counters;
    await waitFor(`${calls} calls of ${path}`, () => handled[0]! + this.ports.answers.waitingCalls === calls);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.ports.shutdown(0);
    await this.server.stop();
  }
}
