/**
 * Certificates, keys, authorities and revocation lists as they are in their files now: looked at before each handshake,
 * read again when a file has changed. A change that cannot be used is logged once, and what was there before stays.
 */
import { stat } from "node:fs/promises";
import type { ConnectionOptions, TLSSocket, TlsOptions } from "node:tls";
import type { LogFields, Logger } from "../../lib/logger.ts";
import type { TlsGate } from "../listen/tls-gate.ts";
import { alternativeNamesOf, shownCertificate } from "./certificate-names.ts";
import { whyNotAllowed } from "./check-shown.ts";
import { handshakeErrorOf } from "./client-error.ts";
import { loadMaterial, type TlsMaterial } from "./load-material.ts";
import { asksForCertificates, filesOf, type TlsSettings } from "./tls-settings.ts";
import { type Resolver, systemResolver, whyNotFrom } from "./verify-address.ts";

/**
 * Who dials and does not like the certificate that it is shown hangs up, and with most runtimes without a word: so for those
 * who look for the reason here, the word is ours.
 */
const hungUp =
  "EOF before a request, as from one that refuses this certificate (remote error: tls: bad certificate)";

/** A member that is refused tries again all the time. */
const hungUpIntervalMs = 1_000;

export class TlsIdentity implements TlsGate {
  readonly settings: TlsSettings;
  readonly #logger: Logger;
  readonly #resolver: Resolver;
  readonly #files: readonly string[];
  readonly #onChange = new Set<(options: TlsOptions) => void>();
  #material: TlsMaterial;
  /** Of the files as they were looked at last, whether or not they could be used. */
  #fingerprint: string;
  #hungUpMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;

  private constructor(
    settings: TlsSettings,
    logger: Logger,
    resolver: Resolver,
    first: { readonly material: TlsMaterial; readonly fingerprint: string },
  ) {
    this.settings = settings;
    this.#logger = logger.at("transport/tls/tls-identity.ts");
    this.#resolver = resolver;
    this.#files = filesOf(settings);
    this.#material = first.material;
    this.#fingerprint = first.fingerprint;
  }

  /** Rejects if the files cannot be used. */
  static async open(
    settings: TlsSettings,
    logger: Logger,
    resolver: Resolver = systemResolver,
  ): Promise<TlsIdentity> {
    const fingerprint = await fingerprintOf(filesOf(settings));
    const material = await loadMaterial(settings);
    return new TlsIdentity(settings, logger, resolver, { material, fingerprint });
  }

  /** For a port, as of the last look. */
  get serverOptions(): TlsOptions {
    return this.#material.server;
  }

  /** For a connection to another server, as of now. */
  async clientOptions(): Promise<ConnectionOptions> {
    await this.refresh();
    return this.#material.client;
  }

  get namesClients(): boolean {
    return this.settings.clientCertAuth;
  }

  onChange(listener: (options: TlsOptions) => void): void {
    this.#onChange.add(listener);
  }

  /** A look that began before the call may have missed a change, so the call waits for the next one, which all share. */
  refresh(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#look().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    this.#waiting ??= this.#running.then(() => {
      this.#waiting = undefined;
      return this.refresh();
    });
    return this.#waiting;
  }

  async #look(): Promise<void> {
    const fingerprint = await fingerprintOf(this.#files);
    if (fingerprint === this.#fingerprint) return;
    try {
      const material = await loadMaterial(this.settings);
      this.#material = material;
      for (const listener of this.#onChange) listener(material.server);
      this.#logger.info("took over changed TLS files", this.#fileFields());
    } catch (cause) {
      const fields = { ...this.#fileFields(), error: (cause as Error).message };
      this.#logger.warn("cannot use changed TLS files; going on with those from before", fields);
    }
    this.#fingerprint = fingerprint;
  }

  #fileFields(): LogFields {
    const { side, certFile, keyFile, trustedCaFile, crlFile } = this.settings;
    return {
      endpoint: side,
      "cert-file": certFile,
      "key-file": keyFile,
      ...(trustedCaFile !== "" && { "trusted-ca-file": trustedCaFile }),
      ...(crlFile !== "" && { "crl-file": crlFile }),
    };
  }

  /** Undefined, or a promise of it: the client may come in. */
  admit(socket: TLSSocket, remoteAddress: string): Promise<string | undefined> | string | undefined {
    if (!asksForCertificates(this.settings)) return undefined;
    try {
      // A session that goes on must not be a way around what is asked of certificates.
      const certificate = shownCertificate(socket);
      if (certificate === undefined) return "tls: client didn't provide a certificate";
      const refusal = whyNotAllowed(socket, this.settings, this.#material.revoked);
      if (refusal !== undefined || !this.settings.verifyClientAddress) return refusal;
      const host = remoteAddress.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
      return whyNotFrom(host, certificate, this.#resolver).catch(messageOf);
    } catch (cause) {
      // A certificate that the runtime took and its own parser does not.
      return messageOf(cause);
    }
  }

  /** The same for a server that was dialled. */
  whyNotServer(socket: TLSSocket): string | undefined {
    return this.settings.selfSigned
      ? undefined
      : whyNotAllowed(socket, this.settings, this.#material.revoked);
  }

  rejected(cause: Error | string, socket: TLSSocket | undefined, remoteAddress: string): void {
    const message = `rejected connection on ${this.settings.side} endpoint`;
    const authorizationError = (socket as { authorizationError?: unknown } | undefined)?.authorizationError;
    const error =
      typeof cause === "string"
        ? { text: cause, isHangUp: false }
        : handshakeErrorOf(cause, authorizationError);
    const fields = fieldsOf(socket, remoteAddress);
    if (error.isHangUp) this.#hungUp(fields);
    else this.#logger.warn(message, { ...fields, error: error.text });
  }

  leftInSilence(socket: TLSSocket, remoteAddress: string): void {
    this.#hungUp(fieldsOf(socket, remoteAddress));
  }

  /** Load balancers and scanners do so on a port for clients, and it means nothing. Only members dial the other. */
  #hungUp(fields: LogFields): void {
    const message = `rejected connection on ${this.settings.side} endpoint`;
    const nowMs = performance.now();
    if (this.settings.side === "client" || nowMs - this.#hungUpMs < hungUpIntervalMs) {
      this.#logger.debug(message, { ...fields, error: "EOF" });
      return;
    }
    this.#hungUpMs = nowMs;
    this.#logger.warn(message, { ...fields, error: hungUp });
  }
}

const fieldsOf = (socket: TLSSocket | undefined, remoteAddress: string): LogFields => ({
  "remote-addr": remoteAddress,
  "server-name": serverNameOf(socket),
  ...namesIn(socket),
});

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function serverNameOf(socket: TLSSocket | undefined): string {
  const name = (socket as { servername?: unknown } | undefined)?.servername;
  return typeof name === "string" ? name : "";
}

function namesIn(socket: TLSSocket | undefined): LogFields {
  try {
    const certificate = socket && shownCertificate(socket);
    if (certificate === undefined) return {};
    const { dns, ips } = alternativeNamesOf(certificate);
    return { subject: certificate.subject.replaceAll("\n", ","), "ip-addresses": ips, "dns-names": dns };
  } catch {
    // A socket that is gone does not tell any more.
    return {};
  }
}

/** Changes with every way to exchange a file: written over, renamed into its place, or a link turned elsewhere. */
async function fingerprintOf(paths: readonly string[]): Promise<string> {
  const parts = paths.map(async (path) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(":");
    } catch (cause) {
      return String((cause as { code?: string }).code);
    }
  });
  return (await Promise.all(parts)).join(" ");
}
