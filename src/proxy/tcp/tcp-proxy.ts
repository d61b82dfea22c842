/** Passes connections on, byte for byte, to a server that can be reached. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { formatGoDuration } from "../../lib/go-duration.ts";
import type { Logger } from "../../lib/logger.ts";
import { PatientTimer } from "../../lib/patient-timer.ts";
import type { Remote, Remotes } from "./remotes.ts";

export interface TcpProxyOptions {
  readonly host: string;
  readonly port: number;
  readonly remotes: Remotes;
  /** How long a server that could not be reached is left alone. */
  readonly retryDelayMs: number;
  readonly logger: Logger;
}

/** A server that does not answer within this is as good as gone. */
const connectTimeoutMs = 10_000;
/** Connections at once; each takes two sockets. */
const connectionsMax = 10_000;

export class TcpProxy {
  readonly #options: TcpProxyOptions;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #monitor: ReturnType<typeof setInterval>;

  private constructor(options: TcpProxyOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    this.#server.maxConnections = connectionsMax;
    this.#server.on("connection", (socket) => this.#serve(socket));
    this.#monitor = setInterval(() => this.#retry(), options.retryDelayMs);
  }

  /** Resolves when it listens; rejects with the system's error if it cannot. */
  static async listen(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    const { host, port } = options;
    try {
      await new Promise<void>((resolve, reject) => {
        proxy.#server.once("error", reject);
        proxy.#server.listen(port, host, resolve);
      });
    } catch (error) {
      clearInterval(proxy.#monitor);
      throw error;
    }
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  close(): void {
    clearInterval(this.#monitor);
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  async #serve(client: Socket): Promise<void> {
    this.#keep(client);
    const remote = await this.#connect(client);
    if (!remote) {
      client.destroy();
      return;
    }
    pass(client, remote);
    pass(remote, client);
    client.resume();
  }

  /** To the first that can be reached; undefined if none can be, or nobody waits any more. */
  async #connect(client: Socket): Promise<Socket | undefined> {
    const { remotes, logger, retryDelayMs } = this.#options;
    for (let remote = remotes.pick(); remote && !client.destroyed; remote = remotes.pick()) {
      try {
        const socket = await dial(remote);
        this.#keep(socket);
        return socket;
      } catch (error) {
        remote.isActive = false;
        const interval = formatGoDuration(retryDelayMs);
        logger.warn("deactivated endpoint", {
          address: remote.address,
          interval,
          error: (error as Error).message,
        });
      }
    }
    return undefined;
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.on("error", ignore); // "close" follows
    socket.once("close", () => this.#open.delete(socket));
  }

  /** Those that could not be reached may be back. */
  #retry(): void {
    const { remotes, logger, retryDelayMs } = this.#options;
    for (const remote of remotes.all.filter(({ isActive }) => !isActive)) {
      const { address } = remote;
      dial(remote).then(
        (socket) => {
          socket.destroy();
          remote.isActive = true;
          logger.info("activated", { address });
        },
        (error: Error) =>
          logger.warn("failed to activate endpoint (stay inactive for another interval)", {
            address,
            interval: formatGoDuration(retryDelayMs),
            error: error.message,
          }),
      );
    }
  }
}

function ignore(): void {}

/** Passes on what comes and its end; a side that breaks off takes the other with it. */
function pass(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on("error", () => to.destroy());
  from.on("close", () => {
    if (!from.readableEnded) to.destroy();
  });
}

function dial({ host, port, address }: Remote): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const timer = new PatientTimer(connectTimeoutMs, () => fail(new Error(`no answer from ${address}`)));
    const fail = (error: Error) => {
      timer.cancel();
      socket.destroy();
      reject(error);
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      timer.cancel();
      socket.off("error", fail);
      resolve(socket);
    });
  });
}
