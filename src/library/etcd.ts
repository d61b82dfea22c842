/**
 * etcd inside a program, for tests and tools:
 *
 *     await using etcd = await Etcd.start({ memory: true });
 *     await etcd.client.kv.put("greeting", "hello");
 *     etcd.endpoint;   // "http://127.0.0.1:41234", for any other client
 */
import { openData } from "../cmd/serve/open-data.ts";
import { type RunningServer, startServer } from "../cmd/serve/start-server.ts";
import type { Config } from "../config/config.ts";
import { configFromObject, type SettingsInput } from "../config/from-object.ts";
import { createLogger, type Logger, type LogLevel, silentLogger } from "../lib/logger.ts";
import { preciseWallMs } from "../runtime/wall-clock.ts";
import { EtcdClient, type User } from "./etcd-client.ts";

export interface EtcdOptions extends Omit<SettingsInput, "logLevel"> {
  /** Keeps everything in memory: no file is written, and all is gone at the end. Otherwise `dataDir` is needed. */
  readonly memory?: boolean;
  /** Where clients connect. A free port of the loopback interface by default. */
  readonly listenClientUrls?: string | readonly string[];
  /** Set together with `initialCluster` for a member of a cluster of several; without it this one stays alone. */
  readonly listenPeerUrls?: string | readonly string[];
  /** Takes lines of the log, as JSON. Without it there is no log. */
  readonly onLog?: (line: string) => void;
  readonly logLevel?: LogLevel;
  /** Called when the server cannot go on; it is to be closed then. */
  readonly onFatal?: (error: Error) => void;
}

const anyPort = "http://127.0.0.1:0";

export class Etcd implements AsyncDisposable {
  /** `http://127.0.0.1:PORT`: where other clients reach this server. */
  readonly endpoint: string;
  /** Reaches the server without a socket. */
  readonly client: EtcdClient;
  readonly #running: RunningServer;
  readonly #release: () => void | Promise<void>;
  #closed: Promise<void> | undefined;

  private constructor(running: RunningServer, endpoint: string, release: () => void | Promise<void>) {
    this.#running = running;
    this.endpoint = endpoint;
    this.#release = release;
    this.client = EtcdClient.inProcess(running.routes, undefined);
  }

  /** Resolves when the server serves. Rejects with a ConfigError, or with the system's error. */
  static async start(options: EtcdOptions = {}): Promise<Etcd> {
    const { onLog, logLevel = "info", onFatal = () => {}, ...settings } = options;
    const config = configOf(settings);
    const logger = loggerOf(onLog, logLevel);
    const data = await openData(config, logger);
    try {
      const ends = { onFatal, onRemoved: () => {} };
      const peers = options.listenPeerUrls !== undefined;
      const running = await startServer({ config, logger, data, ends, peers });
      await running.started.catch(async (error: unknown) => {
        await running.stop();
        throw error;
      });
      return new Etcd(running, endpointOf(config, running), () => data.release());
    } catch (error) {
      await data.release();
      throw error;
    }
  }

  /** A client that is somebody: for a server with auth. It is closed by who asked for it, or with the server. */
  clientAs(user: User): EtcdClient {
    return EtcdClient.inProcess(this.#running.routes, user);
  }

  /** The text that Prometheus scrapes. */
  metrics(): string {
    return this.#running.metrics.expose();
  }

  /** Finishes what is under way and closes everything. May be called again. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.client.close();
    await this.#running.stop();
    await this.#release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function configOf({ memory, ...settings }: Omit<EtcdOptions, "onLog" | "logLevel" | "onFatal">): Config {
  if (memory !== true && settings.dataDir === undefined) {
    throw new TypeError('Etcd.start: either { memory: true } or { dataDir: "..." } is needed');
  }
  const urls = settings.listenClientUrls ?? anyPort;
  return configFromObject({
    ...(memory === true ? { storageBackend: "memory" as const } : {}),
    ...settings,
    listenClientUrls: urls,
    advertiseClientUrls: settings.advertiseClientUrls ?? urls,
  });
}

function loggerOf(onLog: ((line: string) => void) | undefined, level: LogLevel): Logger {
  if (!onLog) return silentLogger;
  return createLogger({ sink: { write: (line) => onLog(line) }, wallMs: preciseWallMs, level });
}

function endpointOf({ listenClientUrls }: Config, { clientPorts }: RunningServer): string {
  const [url] = listenClientUrls;
  const port = clientPorts[0];
  return port === undefined ? url!.href : `${url!.scheme}://${url!.hostname}:${port}`;
}
