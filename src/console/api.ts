/**
 * etcd's API from a browser: the Connect protocol with JSON, which needs no library. Numbers of 64 bits are strings, bytes
 * base64, default values are left out.
 */

/** gRPC's code by the name that Connect gives it. */
export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }

  /** Nobody is logged in, or no longer. */
  get wantsLogin(): boolean {
    return (
      this.code === "unauthenticated" ||
      /user name is empty|invalid auth token|old revision in header/.test(this.message)
    );
  }
}

export interface Header {
  readonly clusterId?: string;
  readonly memberId?: string;
  readonly revision?: string;
}
export interface KeyValue {
  readonly key?: string;
  readonly value?: string;
  readonly createRevision?: string;
  readonly modRevision?: string;
  readonly version?: string;
  readonly lease?: string;
}
export interface RangeResponse {
  readonly header?: Header;
  readonly kvs?: KeyValue[];
  readonly more?: boolean;
  readonly count?: string;
}
export interface WatchEvent {
  readonly type?: "DELETE";
  readonly kv?: KeyValue;
  readonly prevKv?: KeyValue;
}
export interface WatchResponse {
  readonly header?: Header;
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly cancelReason?: string;
  readonly compactRevision?: string;
  readonly events?: WatchEvent[];
}

const tokenName = "etclite-token";
const userName = "etclite-user";

export const session = {
  get token(): string | null {
    return sessionStorage.getItem(tokenName);
  },
  get user(): string | null {
    return sessionStorage.getItem(userName);
  },
  begin(user: string, token: string): void {
    sessionStorage.setItem(tokenName, token);
    sessionStorage.setItem(userName, user);
  },
  end(): void {
    sessionStorage.removeItem(tokenName);
    sessionStorage.removeItem(userName);
  },
};

/** Called when the server wants somebody to log in. */
export const loginWanted: { handle: () => void } = { handle: () => {} };

interface CallOptions {
  readonly signal?: AbortSignal;
  /** Another member's address; this one's if not given. */
  readonly origin?: string;
}

function headers(type: string): Record<string, string> {
  const fields: Record<string, string> = { "Content-Type": type, "Connect-Protocol-Version": "1" };
  if (session.token !== null) fields["Authorization"] = session.token;
  return fields;
}

function failure(error: { code?: string; message?: string }): ApiError {
  const failed = new ApiError(error.code ?? "unknown", error.message ?? "the server did not say why");
  if (failed.wantsLogin) loginWanted.handle();
  return failed;
}

/** Browsers word it each in their own way. */
function unreachable(error: unknown, signal: AbortSignal | undefined): never {
  if (signal?.aborted) throw error;
  throw new ApiError("unavailable", "the server cannot be reached");
}

/** Calls `Service/Method` with one request and one answer. Throws an ApiError. */
export async function call<Answer>(
  method: string,
  request: unknown = {},
  options: CallOptions = {},
): Promise<Answer> {
  const { origin = "", signal } = options;
  const response = await fetch(`${origin}/${fullName(method)}`, {
    method: "POST",
    headers: headers("application/json"),
    body: JSON.stringify(request),
    ...(signal && { signal }),
  }).catch((error: unknown) => unreachable(error, signal));
  const answer = (await response.json().catch(() => ({}))) as Answer & { code?: string; message?: string };
  if (!response.ok) throw failure(answer);
  return answer;
}

/** Calls `Service/Method` with one request and reads its answers until the end, or until `signal` says so. */
export async function* stream<Answer>(
  method: string,
  request: unknown,
  signal: AbortSignal,
): AsyncGenerator<Answer> {
  const body = new TextEncoder().encode(JSON.stringify(request));
  const envelope = new Uint8Array(5 + body.length);
  new DataView(envelope.buffer).setUint32(1, body.length);
  envelope.set(body, 5);
  const response = await fetch(`/${fullName(method)}`, {
    method: "POST",
    headers: headers("application/connect+json"),
    body: envelope,
    signal,
  }).catch((error: unknown) => unreachable(error, signal));
  if (!response.ok || response.body === null) throw failure(await response.json().catch(() => ({})));
  const reader = response.body.getReader();
  let held = new Uint8Array(0);
  const decoder = new TextDecoder();
  for (;;) {
    while (held.length >= 5) {
      const length = new DataView(held.buffer, held.byteOffset).getUint32(1);
      if (held.length < 5 + length) break;
      const message = JSON.parse(decoder.decode(held.subarray(5, 5 + length)));
      const isEnd = (held[0]! & 2) !== 0;
      held = held.subarray(5 + length);
      if (!isEnd) yield message as Answer;
      else if (message.error) throw failure(message.error);
      else return;
    }
    const { done, value } = await reader.read().catch((error: unknown) => unreachable(error, signal));
    if (done) return;
    const joined = new Uint8Array(held.length + value.length);
    joined.set(held);
    joined.set(value, held.length);
    held = joined;
  }
}

/** Services without a package are etcd's. */
function fullName(method: string): string {
  return method.includes(".") ? method : `etcdserverpb.${method}`;
}
