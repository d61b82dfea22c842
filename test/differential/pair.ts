/**
 * Etcd and the server under test, each alone, with equal ids: both advertise the same URLs to members, so that even the
 * headers of their answers must be equal byte by byte.
 */
import { join } from "node:path";
import { GrpcClient, GrpcError } from "../support/grpc-client.ts";
import { freePort } from "../support/ports.ts";
import { cleanEnvironment, ServerProcess } from "../support/server-process.ts";

/** What a call came to. */
export interface Outcome {
  readonly code: number;
  readonly message: string;
  readonly answers: readonly Uint8Array[];
}

export type Two<T> = readonly [etcd: T, ours: T];

export interface PairOptions {
  readonly etcd: string;
  readonly ours: string;
  readonly folder: string;
}

/** Nobody listens there, and nobody has to: each is the only member of its cluster. */
const advertised = "http://127.0.0.1:9";
const callTimeoutMs = 20_000;

export class Pair {
  #servers: Two<ServerProcess>;
  clients: Two<GrpcClient>;
  readonly #options: PairOptions;

  private constructor(options: PairOptions, servers: Two<ServerProcess>) {
    this.#options = options;
    this.#servers = servers;
    this.clients = connect(servers);
  }

  static async start(options: PairOptions): Promise<Pair> {
    const etcd = await startOne(options.etcd, join(options.folder, "etcd"));
    const ours = await startOne(options.ours, join(options.folder, "ours"));
    return new Pair(options, [etcd, ours]);
  }

  /** Ends both and starts them again on their data. */
  async restart(): Promise<void> {
    await this.stop();
    const { etcd, ours, folder } = this.#options;
    this.#servers = [
      await startOne(etcd, join(folder, "etcd"), this.#servers[0]),
      await startOne(ours, join(folder, "ours"), this.#servers[1]),
    ];
    this.clients = connect(this.#servers);
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  /** The same to both, and what each says: all messages of a stream of answers. */
  async ask(path: string, messages: readonly Uint8Array[], tokens?: Two<string>): Promise<Two<Outcome>> {
    const [etcd, ours] = this.clients.map((client, i) => askOne(client, path, messages, tokens?.[i]));
    return [await etcd!, await ours!];
  }

  /** A server that has ended has not answered; which one, and the end of its log. */
  ended(): string | undefined {
    const [etcd, ours] = this.#servers;
    if (etcd.exit !== undefined) return `etcd ended\n${etcd.logTail()}`;
    if (ours.exit !== undefined) return `the server under test ended\n${ours.logTail()}`;
    return undefined;
  }

  get etcdEnded(): boolean {
    return this.#servers[0].exit !== undefined;
  }
}

async function startOne(program: string, folder: string, before?: ServerProcess): Promise<ServerProcess> {
  const [clientPort, peerPort] =
    before === undefined ? [await freePort(), await freePort()] : [before.clientPort, before.peerPort];
  return ServerProcess.ready({
    program,
    folder,
    clientPort,
    peerPort,
    env: cleanEnvironment(),
    flags: [
      `--initial-advertise-peer-urls=${advertised}`,
      `--initial-cluster=suite=${advertised}`,
      `--advertise-client-urls=${advertised}`,
      "--unsafe-no-fsync",
      "--bcrypt-cost=4",
      "--log-level=error",
    ],
  });
}

function connect(servers: Two<ServerProcess>): Two<GrpcClient> {
  return [new GrpcClient(servers[0].url), new GrpcClient(servers[1].url)];
}

async function askOne(
  client: GrpcClient,
  path: string,
  messages: readonly Uint8Array[],
  token: string | undefined,
): Promise<Outcome> {
  const answers: Uint8Array[] = [];
  const call = client.call(path, (answer) => answers.push(answer), token === undefined ? {} : { token });
  const timer = setTimeout(() => call.fail(new GrpcError(-1, "no answer in time")), callTimeoutMs);
  try {
    for (const message of messages) call.send(message);
    call.end();
    await call.ended;
    return { code: 0, message: "", answers };
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
    return { code: error.code, message: error.message, answers };
  } finally {
    clearTimeout(timer);
  }
}
