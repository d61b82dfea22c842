import { createServer, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type TLSSocket,
  type TlsOptions,
  type Server as TlsServer,
} from "node:tls";
import type { Peer } from "../grpc.ts";
import type { CoarseTimers } from "../timers/coarse-timers.ts";
import { bind } from "./bind.ts";
import type { ListenAddress } from "./listen-url.ts";
import { addressOf, plainPeer, securePeer } from "./peer.ts";
import { type Protocol, sniff } from "./sniff.ts";
import { isGate, plainGate, type TlsGate } from "./tls-gate.ts";

/** Who serves a connection once it is known what it speaks. `first` is what was read from the socket to find out. */
export interface ConnectionSink {
  onHttp2(socket: Socket, peer: Peer, first: Buffer): void;
  onHttp1(socket: Socket, peer: Peer, first: Buffer): void;
  /** A TLS handshake failed, and there is no `TlsGate` to be told. */
  onTlsError(cause: Error, remoteAddress: string): void;
  /** A connection was closed because of what it began with. */
  onWrongStart?(reason: string, remoteAddress: string): void;
}

export interface ListenerOptions {
  /** All of one socket: at most one of them secure, at most one not. */
  readonly addresses: readonly ListenAddress[];
  /** Needed if one of the addresses is secure: certificate, key, authorities, `requestCert` and so on. */
  readonly tls?: TlsOptions | TlsGate | undefined;
  readonly alpnProtocols?: readonly string[];
  /** Several processes may listen on the port (SO_REUSEPORT). */
  readonly reusePort?: boolean | undefined;
  readonly sink: ConnectionSink;
  readonly timers: CoarseTimers;
  /** For the handshake and for the first octets, each. */
  readonly prefaceTimeoutMs: number;
  /** Connections that have not said what they speak. Whoever comes then takes the place of the one that waits longest:
   * who means it is through in a moment. */
  readonly undecidedMax?: number;
}

/** As etcd's listeners: lets the kernel find out that a silent client's machine is gone. */
const tcpKeepAliveMs = 30_000;
/** As in etcd. */
const handshakeTimeoutMs = 10_000;
const defaultUndecidedMax = 4096;

const notTls = "tls: first record does not look like a TLS handshake";
const badRequest =
  "HTTP/1.0 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
  "Client sent an HTTP request to an HTTPS server.\n";

/**
 * One listening socket, for TCP or unix, plain or TLS or both: the first octet of a connection tells a TLS handshake,
 * ALPN or the next ones tell HTTP/2 from HTTP/1.1.
 */
export class Listener {
  private readonly server: Server;
  private readonly tlsServer: TlsServer | undefined;
  private readonly gate: TlsGate | undefined;
  private readonly options: ListenerOptions;
  private readonly allowsPlain: boolean;
  /** Connections that have not said what they speak, the oldest first. */
  private readonly undecided = new Set<Socket>();
  /** Where those come from: a socket that is gone does not tell any more. */
  private readonly remoteAddresses = new WeakMap<Socket, string>();

  private constructor(options: ListenerOptions) {
    this.options = options;
    this.allowsPlain = options.addresses.some(({ secure }) => !secure);
    if (options.addresses.some(({ secure }) => secure)) {
      const { tls, sink } = options;
      if (tls === undefined) throw new Error("a secure address needs a certificate and a key");
      this.gate = isGate(tls) ? tls : plainGate(tls, (cause, address) => sink.onTlsError(cause, address));
      this.tlsServer = this.makeTlsServer(this.gate);
      this.gate.onChange((changed) => this.setSecureContext(changed));
    }
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: tcpKeepAliveMs };
    this.server = createServer({ noDelay: true, ...keepAlive }, (socket) => this.onConnection(socket));
  }

  /** Rejects with the system's error if the address cannot be had. */
  static async open(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    await bind(listener.server, options.addresses[0]!.target, options.reusePort ?? false);
    // From now on an error is one of `accept` (too many open files): the next connection may fare better.
    listener.server.on("error", () => {});
    return listener;
  }

  private get target(): ListenAddress["target"] {
    return this.options.addresses[0]!.target;
  }

  /** The port that was bound, also if 0 was asked for; undefined for a unix socket. */
  get port(): number | undefined {
    const address = this.server.address();
    return typeof address === "object" && address !== null ? address.port : undefined;
  }

  /** New handshakes use these certificates; connections that stand are not touched. */
  setSecureContext(options: TlsOptions): void {
    this.tlsServer?.setSecureContext(options);
  }

  /** Takes no more connections. Those that have not said what they speak are closed. */
  close(): void {
    this.server.close();
    for (const socket of this.undecided) socket.destroy();
  }

  private makeTlsServer(gate: TlsGate): TlsServer {
    const { prefaceTimeoutMs, alpnProtocols = ["h2", "http/1.1"] } = this.options;
    const server = createTlsServer({
      ...gate.serverOptions,
      ALPNProtocols: [...alpnProtocols],
      handshakeTimeout: Math.min(prefaceTimeoutMs, handshakeTimeoutMs),
    });
    server.on("secureConnection", (socket) => void this.onSecure(socket, gate));
    server.on("tlsClientError", (cause, socket) => {
      const bare = bareSocketOf(socket);
      const known = bare && this.remoteAddresses.get(bare);
      gate.rejected(cause, socket, known ?? addressOf(socket));
      socket.destroy();
      bare?.destroy();
    });
    return server;
  }

  private get unixPath(): string | undefined {
    return this.target.kind === "unix" ? this.target.path : undefined;
  }

  private onConnection(socket: Socket): void {
    const { timers, prefaceTimeoutMs } = this.options;
    this.track(socket, this.unixPath ?? addressOf(socket));
    // Under TLS nobody else listens for the errors of the bare socket.
    socket.on("error", () => {});
    sniff(socket, { timers, timeoutMs: prefaceTimeoutMs }, (protocol, first) => {
      if (protocol !== "tls") this.onPlain(socket, protocol, first);
      else if (this.tlsServer === undefined) this.onWrongStart(socket, "tls: this port is without TLS");
      else this.startTls(socket, first);
    });
  }

  private startTls(socket: Socket, first: Buffer): void {
    void this.gate!.refresh().then(() => {
      if (socket.destroyed) return;
      socket.unshift(first);
      this.tlsServer!.emit("connection", socket);
    });
  }

  private onPlain(socket: Socket, protocol: Protocol | "unknown", first: Buffer): void {
    const { sink } = this.options;
    const remoteAddress = this.remoteAddresses.get(socket) ?? "";
    this.undecided.delete(socket);
    if (!this.allowsPlain) {
      this.gate!.rejected(notTls, undefined, remoteAddress);
      if (protocol === "http1") {
        socket.resume();
        socket.end(badRequest, () => socket.destroy());
      } else socket.destroy();
    } else if (protocol === "http2") sink.onHttp2(socket, plainPeer(socket, this.unixPath), first);
    else if (protocol === "http1") sink.onHttp1(socket, plainPeer(socket, this.unixPath), first);
    else socket.destroy();
  }

  private onWrongStart(socket: Socket, reason: string): void {
    this.options.sink.onWrongStart?.(reason, this.remoteAddresses.get(socket) ?? "");
    socket.destroy();
  }

  private async onSecure(socket: TLSSocket, gate: TlsGate): Promise<void> {
    const { timers, prefaceTimeoutMs, sink } = this.options;
    const remoteAddress = this.unixPath ?? addressOf(socket);
    this.track(socket, remoteAddress);
    // Its place is taken by the socket with TLS.
    const bare = bareSocketOf(socket);
    if (bare !== undefined) this.undecided.delete(bare);
    socket.on("error", () => {});
    const admitted = gate.admit(socket, remoteAddress);
    // No await without need: the next line may be a turn later, and clients begin to speak at once.
    const refusal = typeof admitted === "object" ? await admitted : admitted;
    if (refusal !== undefined) {
      gate.rejected(refusal, socket, remoteAddress);
      socket.destroy();
    }
    if (socket.destroyed) return;
    const peer = securePeer(socket, this.unixPath, gate.namesClients);
    const onLeft = () => gate.leftInSilence?.(socket, remoteAddress);
    socket.once("end", onLeft);
    sniff(socket, { timers, timeoutMs: prefaceTimeoutMs }, (protocol, first) => {
      this.undecided.delete(socket);
      socket.removeListener("end", onLeft);
      // What was agreed on by ALPN is what has to come; without ALPN the first octets decide.
      if (protocol === "http2" || socket.alpnProtocol === "h2") sink.onHttp2(socket, peer, first);
      else if (protocol === "http1") sink.onHttp1(socket, peer, first);
      else socket.destroy();
    });
  }

  private track(socket: Socket, remoteAddress: string): void {
    if (this.undecided.size >= (this.options.undecidedMax ?? defaultUndecidedMax)) {
      for (const oldest of this.undecided) {
        this.undecided.delete(oldest);
        oldest.destroy();
        break;
      }
    }
    this.undecided.add(socket);
    this.remoteAddresses.set(socket, remoteAddress);
    socket.on("close", () => this.undecided.delete(socket));
  }
}

/** The socket under TLS. Undefined where a runtime does not say. */
function bareSocketOf(socket: TLSSocket): Socket | undefined {
  return (socket as { _parent?: Socket })._parent ?? undefined;
}
