import type { TLSSocket, TlsOptions } from "node:tls";

/** Who decides about TLS connections, beside what the runtime checks. */
export interface TlsGate {
  /** Certificate, key, authorities and so on. */
  readonly serverOptions: TlsOptions;
  /** The common name in a client's certificate is a user's. */
  readonly namesClients: boolean;
  /** Tells a listener of options to use from now on. */
  onChange(listener: (options: TlsOptions) => void): void;
  /** Called before a handshake, which then waits. Never rejects. */
  refresh(): Promise<void>;
  /** After a handshake: why the client may not come in, or undefined. Neither throws nor rejects. */
  admit(socket: TLSSocket, remoteAddress: string): Promise<string | undefined> | string | undefined;
  /** A client was turned away: by the handshake, or by `admit`. */
  rejected(cause: Error | string, socket: TLSSocket | undefined, remoteAddress: string): void;
  /** A client that was let in went away without a word. */
  leftInSilence?(socket: TLSSocket, remoteAddress: string): void;
}

/** Lets in whom the runtime lets in. */
export function plainGate(
  serverOptions: TlsOptions,
  onError: (cause: Error, remoteAddress: string) => void,
): TlsGate {
  return {
    serverOptions,
    namesClients: true,
    onChange() {},
    refresh: () => Promise.resolve(),
    admit: () => undefined,
    rejected: (cause, _socket, remoteAddress) =>
      onError(typeof cause === "string" ? new Error(cause) : cause, remoteAddress),
  };
}

export function isGate(tls: TlsOptions | TlsGate): tls is TlsGate {
  return "admit" in tls;
}
