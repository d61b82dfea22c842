/**
 * A client of etcd's gRPC services: calls with retries and deadlines as clientv3 makes them, tokens that are asked for
 * again when the server has forgotten them, and streams.
 *
 *     const client = await Client.connect({ endpoints: ["127.0.0.1:2379"] });
 *     const { kvs } = await client.unary(range, { key }, { timeoutMs: 5_000 });
 *     client.close();
 */
import { setTimeout as delay } from "node:timers/promises";
import { EtcdError, GrpcCode } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { Field } from "../transport/hpack/encoder.ts";
import {
  type CallChannel,
  type CallOptions,
  Channel,
  type ChannelOptions,
  type OpenCall,
} from "./channel.ts";
import { clientError } from "./client-error.ts";
import { MessageStream } from "./message-stream.ts";
import type { Method, MethodKind } from "./methods/method.ts";
import { decode, encode } from "./wire/codec.ts";
import type { Init } from "./wire/message.ts";

export interface ClientOptions extends ChannelOptions {
  readonly endpoints: readonly string[];
  /** What carries the calls, in the place of connections to `endpoints`. */
  readonly channel?: CallChannel;
  readonly user?: { readonly name: string; readonly password: string } | undefined;
  /** A token of the caller's own, which is never renewed. Instead of a user. */
  readonly token?: string | undefined;
  /** For the first token. No limit by default. */
  readonly connectTimeoutMs?: number | undefined;
  /** Hears of every attempt of a unary call that failed, also of the last. If it gives a promise, the call goes on, or fails,
   * when that has ended. */
  readonly onFailedAttempt?: ((attempt: FailedAttempt) => unknown) | undefined;
}

export interface FailedAttempt {
  readonly path: string;
  readonly number: number;
  readonly error: EtcdError;
  /** The server it went to; undefined if there was no connection. */
  readonly peer: { readonly remote: string; readonly local: string; readonly isSecure: boolean } | undefined;
}

export interface RequestOptions {
  readonly timeoutMs?: number | undefined;
  /** Instead of `timeoutMs`: the time by `performance.now()`. For several calls that share a limit. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A member without a leader refuses the call. */
  readonly requireLeader?: boolean;
}

const maxAttempts = 100;
const backoffMs = 25;
const backoffJitter = 0.1;
const apiVersion = "3.7";

export class Client {
  readonly channel: CallChannel;
  readonly #options: ClientOptions;
  #token: string | undefined;

  /** Does not connect; use `connect` with a user. */
  constructor(options: ClientOptions) {
    this.#options = options;
    this.#token = options.token;
    this.channel = options.channel ?? new Channel(options.endpoints, options);
  }

  /** Rejects if the user is refused or, with a user, nobody answers in time. */
  static async connect(options: ClientOptions): Promise<Client> {
    const client = new Client(options);
    try {
      const { connectTimeoutMs } = options;
      await client.#authenticate(
        connectTimeoutMs === undefined ? {} : { deadlineMs: performance.now() + connectTimeoutMs },
      );
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  get endpoints(): readonly string[] {
    return this.channel.endpoints;
  }

  close(): void {
    this.channel.close();
  }

  /** Rejects with a ClientError. */
  async unary<Request, Response>(
    method: Method<"unary", Request, Response>,
    request: Init<Request>,
    options: RequestOptions = {},
  ): Promise<Response> {
    const limited = withDeadline(options);
    try {
      return decode(method.response, await this.#attempts(method, encode(method.request, request), limited));
    } catch (error) {
      throw clientError(error, isOver(limited));
    }
  }

  async #attempts(
    method: Method<MethodKind, unknown, unknown>,
    request: Uint8Array,
    options: RequestOptions,
  ): Promise<Uint8Array> {
    for (let number = 0; ; number++) {
      await this.#backOff(number, options);
      this.channel.latest = undefined;
      const error = await this.#once(method.path, request, options).catch((failure) =>
        EtcdError.from(failure),
      );
      if (!(error instanceof EtcdError)) return error;
      await this.#report(method.path, number, error);
      if (number + 1 >= maxAttempts) throw error;
      if (isContextError(error)) {
        if (isOver(options)) throw error;
      } else if (this.#wantsNewToken(error)) await this.#authenticate(options);
      else if (!this.#mayRepeat(method, error)) throw error;
    }
  }

  async #backOff(attempt: number, { signal, deadlineMs }: RequestOptions): Promise<void> {
    const quorum = Math.floor(this.endpoints.length / 2) + 1;
    if (attempt === 0 || attempt % quorum !== 0) return;
    const waitMs = backoffMs * (1 + backoffJitter * (2 * Math.random() - 1));
    const leftMs = deadlineMs === undefined ? waitMs : deadlineMs - performance.now();
    await delay(Math.max(0, Math.min(waitMs, leftMs)), undefined, signal ? { signal } : {}).catch(() => {});
    if (signal?.aborted) throw new EtcdError(GrpcCode.canceled, "context canceled");
    if (leftMs < waitMs) throw new EtcdError(GrpcCode.deadlineExceeded, "context deadline exceeded");
  }

  /** One attempt; those that certainly did not reach a server are made again without a word. */
  async #once(path: string, request: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    for (;;) {
      const ended = Promise.withResolvers<Uint8Array | "unseen">();
      let answer: Uint8Array | undefined;
      const call = await this.channel.open(
        path,
        {
          onMessage: (message) => {
            answer = message;
            return true;
          },
          onEnd: (error, isUnseen) => {
            if (error === undefined && answer !== undefined) ended.resolve(answer);
            else if (isUnseen) ended.resolve("unseen");
            else ended.reject(error ?? new EtcdError(GrpcCode.internal, "cardinality violation: no answer"));
          },
        },
        this.#callOptions(options),
      );
      call.send(request);
      call.halfClose();
      const result = await ended.promise;
      if (result !== "unseen") return result;
    }
  }

  #callOptions({ deadlineMs, signal, requireLeader }: RequestOptions): CallOptions {
    const metadata: Field[] = [["client-api-version", apiVersion]];
    if (requireLeader) metadata.push(["hasleader", "true"]);
    if (this.#token) metadata.push(["token", this.#token]);
    return { metadata, deadlineMs, signal };
  }

  async #report(path: string, number: number, error: EtcdError): Promise<void> {
    const { latest } = this.channel;
    const peer = latest && { ...latest.addresses, isSecure: latest.isSecure };
    await this.#options.onFailedAttempt?.({ path, number, error, peer });
  }

  #wantsNewToken({ message }: EtcdError): boolean {
    if (this.#options.token !== undefined) return false;
    if (message === errors.userEmpty.text) return this.#options.user !== undefined;
    return message === errors.invalidAuthToken.text || message === errors.authOldRevision.text;
  }

  #mayRepeat(method: Method<MethodKind, unknown, unknown>, error: EtcdError): boolean {
    if (error.message === errors.notSupportedForLearner.text && this.endpoints.length > 1) return true;
    return method.isRepeatable && error.code === GrpcCode.unavailable;
  }

  /** Asks for a token, if there is a user. Without auth on the server there is none, and none is needed. */
  async #authenticate(options: RequestOptions): Promise<void> {
    const { user } = this.#options;
    if (user === undefined || user.name === "" || user.password === "") return;
    const { authenticate } = await import("./methods/auth.ts");
    try {
      const { name, password } = user;
      this.#token = (await this.unary(authenticate, { name, password }, options)).token;
    } catch (error) {
      if ((error as Error).message !== errors.authNotEnabled.text) throw error;
      this.#token = undefined;
    }
  }

  /** A stream of answers to one request. Iterating rejects with a ClientError; leaving the loop cancels the call. */
  async serverStream<Request, Response>(
    method: Method<"serverStream", Request, Response>,
    request: Init<Request>,
    options: RequestOptions = {},
  ): Promise<MessageStream<Request, Response>> {
    const stream = await this.#open(method, options);
    stream.send(request);
    stream.halfClose();
    return stream;
  }

  /** Messages both ways. */
  duplex<Request, Response>(
    method: Method<"duplex", Request, Response>,
    options: RequestOptions = {},
  ): Promise<MessageStream<Request, Response>> {
    return this.#open(method, options);
  }

  async #open<Kind extends MethodKind, Request, Response>(
    method: Method<Kind, Request, Response>,
    options: RequestOptions,
  ): Promise<MessageStream<Request, Response>> {
    const limited = withDeadline(options);
    await this.#authenticate(limited);
    const stream = new MessageStream(method, () => isOver(limited));
    try {
      const call: OpenCall = await this.channel.open(method.path, stream, this.#callOptions(limited));
      stream.begin(call);
      return stream;
    } catch (error) {
      throw clientError(error, isOver(limited));
    }
  }
}

function withDeadline(options: RequestOptions): RequestOptions {
  const { timeoutMs, deadlineMs } = options;
  if (timeoutMs === undefined || deadlineMs !== undefined) return options;
  return { ...options, deadlineMs: performance.now() + timeoutMs };
}

function isOver({ deadlineMs, signal }: RequestOptions): boolean {
  // Timers may be a little early.
  return signal?.aborted === true || (deadlineMs !== undefined && performance.now() >= deadlineMs - 1);
}

const isContextError = ({ code }: EtcdError): boolean =>
  code === GrpcCode.deadlineExceeded || code === GrpcCode.canceled;
