/** KV.Range: one key at once, many in slices, encoded while they are read. */
import type { Caller } from "../../auth/caller.ts";
import { checkRange as checkRangePermission } from "../../auth/permission.ts";
import { encodeHeader } from "../../codec/header.ts";
import type { RangeRequest } from "../../codec/kv.ts";
import {
  decodeRangeRequest,
  encodeRangeEnd,
  encodeRangeResponse,
  encodeRangeRows,
} from "../../codec/range.ts";
import type { EtcdError } from "../../errors/etcd-error.ts";
import type { Revision } from "../../lib/ids.ts";
import { checkRange } from "../../mvcc/check/check-request.ts";
import type { RangeSize } from "../../server/read-times.ts";
import type { GrpcCall, SingleRequestHandler } from "../../transport/grpc.ts";
import { AnswerGate, runRead } from "../answer-room.ts";
import { checkNotStale, withCaller } from "../caller.ts";
import { statusOf, unary } from "../handler.ts";
import type { RpcServer } from "../rpc-server.ts";

/** What a read that is given up returns. */
const nothing = { count: 0, more: false, revision: 0 as Revision };
/** Rows are encoded in batches of about this size. */
const batchRows = 256;
const batchBytes = 64 * 1024;

export function rangeHandler(server: RpcServer): SingleRequestHandler {
  return unary((call, message) => {
    const request = decodeRangeRequest(message);
    checkRange(request);
    new RangeCall(server, call, request).start();
  });
}

class RangeCall {
  readonly #server: RpcServer;
  readonly #call: GrpcCall;
  readonly #request: RangeRequest;
  readonly #startMs: number;
  /** When it began to read. */
  #readMs: number | undefined;

  constructor(server: RpcServer, call: GrpcCall, request: RangeRequest) {
    this.#server = server;
    this.#call = call;
    this.#request = request;
    this.#startMs = server.readTimes.now();
  }

  start(): void {
    if (this.#request.serializable) this.#read();
    else this.#server.linearizable(this.#read, this.#fail);
  }

  readonly #fail = (error: EtcdError): void => {
    this.#server.readTimes.range(this.#request, this.#startMs, this.#readMs, error);
    this.#call.fail(error);
  };

  /** Called back from elsewhere, where nobody could do anything with what it throws. */
  readonly #read = (): void => {
    try {
      this.#readMs = this.#server.readTimes.now();
      if (this.#server.auth.enabled) this.#readIfAllowed();
      else if (isPlainGet(this.#request)) this.#get();
      else this.#readRows(undefined);
    } catch (error) {
      this.#fail(statusOf(error));
    }
  };

  #readIfAllowed(): void {
    const { auth } = this.#server;
    const { key, rangeEnd } = this.#request;
    const read = (caller: Caller | undefined) => {
      checkRangePermission(auth.state, caller, key, rangeEnd);
      if (isPlainGet(this.#request)) this.#get();
      else this.#readRows(caller);
    };
    withCaller(this.#server, this.#call, read, this.#fail);
  }

  #get(): void {
    const kv = this.#server.store.get(this.#request.key);
    const response = kv ? { kvs: [kv], more: false, count: 1 } : noRows;
    const bytes = encodeRangeResponse(this.#server.header(), response);
    const { readTimes } = this.#server;
    readTimes.get(this.#request, this.#startMs, this.#readMs!, response.count, bytes.length);
    this.#call.respond(bytes);
  }

  #readRows(caller: Caller | undefined): void {
    const parts: Uint8Array[] = [];
    const gate = new AnswerGate(this.#call);
    runRead(this.#server, {
      call: this.#call,
      gate,
      steps: encodeRows(this.#server, this.#request, caller, { parts, gate }),
      done: (rows) => {
        this.#hasRead({ rows, bytes: parts.reduce((sum, part) => sum + part.length, 0) });
        this.#call.respondParts(parts);
      },
      failed: this.#fail,
    });
  }

  #hasRead(size: RangeSize): void {
    this.#server.readTimes.range(this.#request, this.#startMs, this.#readMs, size);
  }
}

const noRows = { kvs: [], more: false, count: 0 } as const;

/** A get of one key's newest version, with nothing else asked for. */
function isPlainGet(request: RangeRequest): boolean {
  return (
    request.rangeEnd.length === 0 &&
    request.revision <= 0 &&
    !request.keysOnly &&
    !request.countOnly &&
    request.minModRevision === 0 &&
    request.maxModRevision === 0 &&
    request.minCreateRevision === 0 &&
    request.maxCreateRevision === 0
  );
}

/** Returns how many there were. */
function* encodeRows(
  server: RpcServer,
  request: RangeRequest,
  caller: Caller | undefined,
  { parts, gate }: { readonly parts: Uint8Array[]; readonly gate: AnswerGate },
): Generator<undefined, number, undefined> {
  let rows = 0;
  const batches = server.store.rangeBatches(request, batchRows, batchBytes, (bytes) => gate.add(bytes));
  try {
    for (;;) {
      const batch = batches.next();
      if (batch.done) {
        checkNotStale(server, caller);
        // Reading may have begun later than the call: the header is of the revision that was read.
        parts.unshift(encodeHeader(server.headerAt(batch.value.revision)));
        parts.push(encodeRangeEnd(batch.value));
        return rows;
      }
      if (batch.value && batch.value.length > 0) {
        rows += batch.value.length;
        const part = encodeRangeRows(batch.value);
        gate.add(part.length);
        parts.push(part);
      }
      yield undefined;
    }
  } finally {
    batches.return(nothing);
  }
}
