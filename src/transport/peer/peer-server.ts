/** The members' port. */
import type { Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Peer } from "../grpc.ts";
import { parseListenUrl } from "../listen/listen-url.ts";
import { Listener } from "../listen/listener.ts";
import type { TlsGate } from "../listen/tls-gate.ts";
import { CoarseTimers } from "../timers/coarse-timers.ts";
import { ServerConnection } from "./http1/server-connection.ts";
import { defaultPeerLimits, type PeerLimits } from "./limits.ts";
import type { PeerRoutes } from "./routes.ts";

export interface PeerServerOptions {
  readonly routes: PeerRoutes;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<PeerLimits>;
}

export class PeerServer {
  readonly #options: PeerServerOptions;
  readonly #limits: PeerLimits;
  readonly #logger: Logger;
  readonly #timers = new CoarseTimers();
  readonly #listeners = new Set<Listener>();
  readonly #connections = new Set<ServerConnection>();
  #isClosing = false;
  #onIdle: (() => void) | undefined;

  constructor(options: PeerServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultPeerLimits, ...options.limits };
    this.#logger = options.logger.at("transport/peer/peer-server.ts");
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** Listens on etcd's URLs; if one cannot be had, none is. Rejects with the system's error. */
  async listenAll(
    urls: readonly string[],
    tls?: TlsOptions | TlsGate,
    reusePort?: boolean,
  ): Promise<Listener[]> {
    const groups = Map.groupBy(urls.map(parseListenUrl), ({ key }) => key);
    const opened: Listener[] = [];
    try {
      for (const addresses of groups.values()) {
        opened.push(
          await Listener.open({
            addresses,
            tls,
            alpnProtocols: ["http/1.1"],
            reusePort,
            sink: {
              // Members speak HTTP/1.1, as etcd's do.
              onHttp2: (socket) => socket.destroy(),
              onHttp1: (socket, peer, first) => this.accept(socket, peer, first),
              onTlsError: (cause, remoteAddress) => {
                const fields = { "remote-addr": remoteAddress, error: cause.message };
                this.#logger.warn("rejected connection on peer endpoint", fields);
              },
              onWrongStart: (error, remoteAddress) => {
                const fields = { "remote-addr": remoteAddress, error };
                this.#logger.warn("rejected connection on peer endpoint", fields);
              },
            },
            timers: this.#timers,
            prefaceTimeoutMs: this.#limits.http.headTimeoutMs,
          }),
        );
      }
    } catch (cause) {
      for (const listener of opened) listener.close();
      throw cause;
    }
    for (const listener of opened) this.#listeners.add(listener);
    return opened;
  }

  /** Serves a socket that somebody else accepted. `first` is what was read from it. */
  accept(socket: Socket, peer: Peer, first: Uint8Array): void {
    if (this.#isClosing || this.#connections.size >= this.#limits.connections) {
      socket.destroy();
      return;
    }
    const connection = new ServerConnection({
      socket,
      remoteAddress: peer.address,
      limits: this.#limits.http,
      clock: this.#options.clock,
      onRequest: this.#options.routes,
      onClosed: (closed) => {
        this.#connections.delete(closed);
        if (this.#connections.size === 0) this.#onIdle?.();
      },
    });
    this.#connections.add(connection);
    connection.start(first);
  }

  /**
   * Takes no more connections, and closes those there are: at once, or after the answer under way, within `graceMs`.
   * Streams end when the transport is stopped: do that first.
   */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
    for (const connection of this.#connections) connection.close();
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.#options.clock.after(graceMs, resolve);
        this.#onIdle = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    for (const connection of this.#connections) connection.destroy();
  }
}
