/** Files of certificates in a folder, and a port that uses them, for tests. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { createLogger } from "../../../lib/logger.ts";
import type { Peer } from "../../grpc.ts";
import { parseListenUrl } from "../../listen/listen-url.ts";
import { Listener } from "../../listen/listener.ts";
import type { Issued } from "../../testing/make-certificates.ts";
import { CoarseTimers } from "../../timers/coarse-timers.ts";
import { TlsIdentity } from "../tls-identity.ts";
import { type TlsSettings, withoutTls } from "../tls-settings.ts";
import type { Resolver } from "../verify-address.ts";

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export function recordingLogger() {
  const lines: LogLine[] = [];
  const sink = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ sink, wallMs: () => 0, level: "debug" });
  return { lines, logger };
}

export class TlsFolder {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async make(): Promise<TlsFolder> {
    return new TlsFolder(await mkdtemp(join(tmpdir(), "tls-")));
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** As certificate managers do: the old file is whole until the new one is. */
  async put(name: string, contents: string | Uint8Array): Promise<string> {
    await writeFile(this.path(`${name}.new`), contents);
    await rename(this.path(`${name}.new`), this.path(name));
    return this.path(name);
  }

  async putPair(name: string, { cert, key }: Issued): Promise<void> {
    await this.put(`${name}.key`, key);
    await this.put(`${name}.crt`, cert);
  }

  remove(): Promise<void> {
    return rm(this.dir, { recursive: true, force: true });
  }

  settings(changes: Partial<TlsSettings> = {}): TlsSettings {
    return {
      ...withoutTls("client"),
      certFile: this.path("server.crt"),
      keyFile: this.path("server.key"),
      ...changes,
    };
  }
}

/** What came of a connection. */
export interface Attempt {
  /** What the server said: the common name it knows the client by. Undefined: it said nothing. */
  readonly answer: string | undefined;
  readonly error: string | undefined;
  /** The organization in the server's certificate. */
  readonly organization: string | undefined;
  readonly protocol: string | null | undefined;
  /** To go on with in another connection. */
  readonly session: Buffer | undefined;
}

/** A port that tells whoever comes in what it knows of them, and closes. */
export class TlsPort {
  readonly identity: TlsIdentity;
  readonly lines: LogLine[];
  readonly port: number;
  readonly #listener: Listener;

  private constructor(identity: TlsIdentity, lines: LogLine[], listener: Listener) {
    this.identity = identity;
    this.lines = lines;
    this.#listener = listener;
    this.port = listener.port!;
  }

  static async open(
    settings: TlsSettings,
    options: {
      readonly resolver?: Resolver;
      readonly timeoutMs?: number;
      readonly undecidedMax?: number;
      /** Connections are left open. */
      readonly hold?: boolean;
    } = {},
  ): Promise<TlsPort> {
    const { lines, logger } = recordingLogger();
    const identity = await TlsIdentity.open(settings, logger, options.resolver);
    const listener = await Listener.open({
      addresses: [parseListenUrl("https://127.0.0.1:0")],
      tls: identity,
      sink: {
        onHttp1: (socket, peer) => greet(socket, peer, options.hold ?? false),
        onHttp2: (socket) => socket.destroy(),
        onTlsError: () => {},
      },
      timers: new CoarseTimers(),
      prefaceTimeoutMs: options.timeoutMs ?? 5_000,
      ...(options.undecidedMax !== undefined && { undecidedMax: options.undecidedMax }),
    });
    return new TlsPort(identity, lines, listener);
  }

  get rejections(): LogLine[] {
    return this.lines.filter(({ msg }) => msg.startsWith("rejected connection"));
  }

  attempt(options: ConnectionOptions): Promise<Attempt> {
    return new Promise((resolve) => {
      let answer: string | undefined;
      let error: string | undefined;
      let organization: string | undefined;
      let protocol: string | null | undefined;
      let session: Buffer | undefined;
      const socket = connectTls({ port: this.port, host: "127.0.0.1", ...options }, () => {
        organization = socket.getPeerCertificate().subject?.O as string | undefined;
        protocol = socket.getProtocol();
        socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      });
      socket.on("data", (piece) => {
        answer = `${answer ?? ""}${piece}`;
      });
      socket.on("error", (cause) => {
        error = (cause as { code?: string }).code ?? cause.message;
      });
      socket.on("session", (offered) => {
        session = offered;
      });
      socket.on("close", () => resolve({ answer, error, organization, protocol, session }));
    });
  }

  /** A connection that stays open. */
  held(options: ConnectionOptions): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ port: this.port, host: "127.0.0.1", ...options }, () => {
        socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      });
      socket.once("data", () => resolve(socket));
      socket.on("error", reject);
    });
  }

  /** A connection without TLS. */
  plain(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, "127.0.0.1", () => resolve(socket));
      socket.once("error", reject);
    });
  }

  close(): void {
    this.#listener.close();
  }
}

function greet(socket: Socket, { certificateCommonName, secure }: Peer, hold: boolean): void {
  socket.resume();
  socket.write(`${secure ? "secure" : "plain"} ${certificateCommonName ?? "nobody"}`);
  if (!hold) socket.end();
}
