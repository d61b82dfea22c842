/** The requests of the fault runs, as bytes, and what their answers say. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as rpc from "../../src/gen/etcdserverpb/rpc_pb.ts";
import type { RegisterOp, RegisterResult } from "../support/linearizability/history.ts";

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();
export const bytesOf = (text: string): Uint8Array => utf8.encode(text);
export const textOf = (bytes: Uint8Array): string => fromUtf8.decode(bytes);

/** A change of a key; `value` undefined is a delete. */
export interface Change {
  readonly key: string;
  readonly value: string | undefined;
}

export interface Request {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export function requestOf(key: string, op: RegisterOp): Request {
  const name = bytesOf(key);
  switch (op.kind) {
    case "get":
      return { path: "KV/Range", bytes: encode(rpc.RangeRequestSchema, { key: name }) };
    case "put":
      return { path: "KV/Put", bytes: encode(rpc.PutRequestSchema, { key: name, value: bytesOf(op.value) }) };
    case "delete":
      return { path: "KV/DeleteRange", bytes: encode(rpc.DeleteRangeRequestSchema, { key: name }) };
    case "cas":
      return { path: "KV/Txn", bytes: exchange(name, op.expected, op.value) };
  }
}

/** Puts all of these in one revision. */
export function putAll(changes: readonly Change[]): Request {
  const success = changes.map(({ key, value }) => ({
    request: { case: "requestPut" as const, value: { key: bytesOf(key), value: bytesOf(value ?? "") } },
  }));
  return { path: "KV/Txn", bytes: encode(rpc.TxnRequestSchema, { success }) };
}

function exchange(key: Uint8Array, expected: string | undefined, value: string): Uint8Array {
  const target =
    expected === undefined
      ? { target: rpc.Compare_CompareTarget.VERSION, targetUnion: { case: "version" as const, value: 0n } }
      : {
          target: rpc.Compare_CompareTarget.VALUE,
          targetUnion: { case: "value" as const, value: bytesOf(expected) },
        };
  return encode(rpc.TxnRequestSchema, {
    compare: [{ key, result: rpc.Compare_CompareResult.EQUAL, ...target }],
    success: [{ request: { case: "requestPut", value: { key, value: bytesOf(value) } } }],
  });
}

export interface Answer {
  readonly revision: number;
  readonly result: RegisterResult;
  /** What it did, if anything. */
  readonly change: Change | undefined;
}

export function answerOf(key: string, op: RegisterOp, bytes: Uint8Array): Answer {
  switch (op.kind) {
    case "get": {
      const { header, kvs } = fromBinary(rpc.RangeResponseSchema, bytes);
      const kv = kvs[0];
      const seen = kv && { value: textOf(kv.value), version: Number(kv.version) };
      return { revision: Number(header!.revision), result: { kind: "get", seen }, change: undefined };
    }
    case "put": {
      const { header } = fromBinary(rpc.PutResponseSchema, bytes);
      return {
        revision: Number(header!.revision),
        result: { kind: "put" },
        change: { key, value: op.value },
      };
    }
    case "delete": {
      const { header, deleted } = fromBinary(rpc.DeleteRangeResponseSchema, bytes);
      const change = deleted > 0n ? { key, value: undefined } : undefined;
      return {
        revision: Number(header!.revision),
        result: { kind: "delete", deleted: deleted > 0n },
        change,
      };
    }
    case "cas": {
      const { header, succeeded } = fromBinary(rpc.TxnResponseSchema, bytes);
      const change = succeeded ? { key, value: op.value } : undefined;
      return { revision: Number(header!.revision), result: { kind: "cas", succeeded }, change };
    }
  }
}

export function revisionOfTxn(bytes: Uint8Array): number {
  return Number(fromBinary(rpc.TxnResponseSchema, bytes).header!.revision);
}

type Schema = Parameters<typeof create>[0];

function encode<S extends Schema>(schema: S, message: Parameters<typeof create<S>>[1]): Uint8Array {
  return toBinary(schema, create(schema, message));
}
