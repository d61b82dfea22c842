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
import { plainPeer, securePeer } from "./peer.ts";
import { sniff } from "./sniff.ts";

/** Who serves a connection once it is known what it speaks. `first` is what was read from the socket to find out. */
export interface ConnectionSink {
  onHttp2(socket: Socket, peer: Peer, first: Buffer): void;
  onHttp1(socket: Socket, peer: Peer, first: Buffer): void;
  /** A TLS handshake failed: etcd logs it ("rejected connection on client endpoint"). */
  onTlsError(cause: Error, remoteAddress: string): void;
}

export interface ListenerOptions {
  /** All of one socket: at most one of them secure, at most one not. */
  readonly addresses: readonly ListenAddress[];
  /** Needed if one of the addresses is secure: certificate, key, authorities, `requestCert` and so on. */
  readonly tls?: TlsOptions | undefined;
  readonly sink: ConnectionSink;
  readonly timers: CoarseTimers;
  /** For the handshake and for the first octets, each. */
  readonly prefaceTimeoutMs: number;
}

/** As etcd's listeners: lets the kernel find out that a silent client's machine is gone. */
const tcpKeepAliveMs = 30_000;

/**
 * One listening socket, for TCP or unix, plain or TLS or both: the first octet of a connection tells a TLS handshake,
 * ALPN or the next ones tell HTTP/2 from HTTP/1.1.
 */
export class Listener {
  private readonly server: Server;
  private readonly tlsServer: TlsServer | undefined;
  private readonly options: ListenerOptions;
  private readonly allowsPlain: boolean;
  /** Connections that have not said what they speak. */
  private readonly undecided = new Set<Socket>();

  private constructor(options: ListenerOptions) {
    this.options = options;
    this.allowsPlain = options.addresses.some(({ secure }) => !secure);
    if (options.addresses.some(({ secure }) => secure)) {
      if (options.tls === undefined) throw new Error("a secure address needs a certificate and a key");
      this.tlsServer = this.makeTlsServer(options.tls);
    }
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: tcpKeepAliveMs };
    this.server = createServer({ noDelay: true, ...keepAlive }, (socket) => this.onConnection(socket));
  }

  /** Rejects with the system's error if the address cannot be had. */
  static async open(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    await bind(listener.server, options.addresses[0]!.target);
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

  private makeTlsServer(tls: TlsOptions): TlsServer {
    const { prefaceTimeoutMs, sink } = this.options;
    const server = createTlsServer({
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: prefaceTimeoutMs,
      ...tls,
    });
    server.on("secureConnection", (socket) => this.onSecure(socket));
    server.on("tlsClientError", (cause, socket) => {
      sink.onTlsError(cause, `${socket.remoteAddress ?? ""}:${socket.remotePort ?? ""}`);
      socket.destroy();
    });
    return server;
  }

  private get unixPath(): string | undefined {
    return this.target.kind === "unix" ? this.target.path : undefined;
  }

  private onConnection(socket: Socket): void {
    const { timers, prefaceTimeoutMs, sink } = this.options;
    this.track(socket);
    // Under TLS nobody else listens for the errors of the bare socket.
    socket.on("error", () => {});
    sniff(socket, { timers, timeoutMs: prefaceTimeoutMs }, (protocol, first) => {
      if (protocol === "tls" && this.tlsServer !== undefined) {
        socket.unshift(first);
        this.tlsServer.emit("connection", socket);
        return;
      }
      this.undecided.delete(socket);
      if (protocol === "tls" || !this.allowsPlain) socket.destroy();
      else if (protocol === "http2") sink.onHttp2(socket, plainPeer(socket, this.unixPath), first);
      else sink.onHttp1(socket, plainPeer(socket, this.unixPath), first);
    });
  }

  private onSecure(socket: TLSSocket): void {
    const { timers, prefaceTimeoutMs, sink } = this.options;
    this.track(socket);
    const peer = securePeer(socket, this.unixPath);
    sniff(socket, { timers, timeoutMs: prefaceTimeoutMs }, (protocol, first) => {
      this.undecided.delete(socket);
      // What was agreed on by ALPN is what has to come; without ALPN the first octets decide.
      if (protocol === "http2" || socket.alpnProtocol === "h2") sink.onHttp2(socket, peer, first);
      else sink.onHttp1(socket, peer, first);
    });
  }

  private track(socket: Socket): void {
    this.undecided.add(socket);
    socket.on("close", () => this.undecided.delete(socket));
  }
}
