/** A client that has the addresses of all members, stays with one for a while, and goes to another when that fails. */
import { GrpcClient, GrpcError } from "../support/grpc-client.ts";
import type { Random } from "../support/random.ts";
import { withTimeout } from "../support/report.ts";

export type Outcome =
  | { readonly kind: "answer"; readonly bytes: Uint8Array }
  /** It certainly had no effect. */
  | { readonly kind: "refused"; readonly why: string }
  /** It may have happened, or may still. */
  | { readonly kind: "unknown"; readonly why: string };

const connectTimeoutMs = 500;
/** After so long a client does not wait for the answer any more. */
const callTimeoutMs = 3_000;

/** Errors with which a member says that it has not done, and will not do, what it was asked. */
const certainErrors = ["etcdserver: too many requests", "etcdserver: rpc not supported for learner"];

export class EndpointClient {
  readonly #urls: () => readonly string[];
  readonly #random: Random;
  #connection: GrpcClient | undefined;
  #at = "";

  constructor(urls: () => readonly string[], random: Random) {
    this.#urls = urls;
    this.#random = random;
  }

  /** The endpoint in use. */
  get at(): string {
    return this.#at;
  }

  /** Uses any endpoint from now on. */
  move(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  async call(path: string, request: Uint8Array): Promise<Outcome> {
    const connection = await this.#connect();
    if (connection === undefined) return { kind: "refused", why: `no connection to ${this.#at}` };
    try {
      const bytes = await connection.unary(`/etcdserverpb.${path}`, request, callTimeoutMs);
      return { kind: "answer", bytes };
    } catch (error) {
      this.move();
      const why = error instanceof GrpcError ? `${error.message} (${error.code})` : String(error);
      const isCertain = error instanceof GrpcError && certainErrors.includes(error.message);
      return { kind: isCertain ? "refused" : "unknown", why };
    }
  }

  async #connect(): Promise<GrpcClient | undefined> {
    if (this.#connection !== undefined && !this.#connection.isBroken) return this.#connection;
    this.#at = this.#random.pick(this.#urls());
    const connection = new GrpcClient(this.#at);
    try {
      await withTimeout(connection.connected, connectTimeoutMs);
      this.#connection = connection;
      return connection;
    } catch {
      connection.close();
      return undefined;
    }
  }

  close(): void {
    this.move();
  }
}
