/**
 * Requests as the log shows them, in etcd's form: protobuf's text on one line, with the size of a value in the place of
 * the value, so that what users store does not get into logs.
 */
import type { Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from "./kv.ts";
import type { LeaseGrantRequest } from "./lease.ts";
import { raftField } from "./raft-internal.ts";

/** A longer text says no more. */
const textCharsMax = 4096;

/** What `request`, the field `field` of an InternalRaftRequest, is. */
export function requestText(field: number, request: unknown): string {
  const text = `${nameOf(field)}:<${bodyText(field, request)}>`;
  return text.length <= textCharsMax ? text : `${text.slice(0, textCharsMax)}...`;
}

function nameOf(field: number): string {
  const name = Object.entries(raftField).find(([, number]) => number === field)?.[0] ?? "unknown";
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function bodyText(field: number, request: unknown): string {
  switch (field) {
    case raftField.range:
      return rangeText(request as RangeRequest);
    case raftField.put:
      return putText(request as PutRequest);
    case raftField.deleteRange:
      return deleteRangeText(request as DeleteRangeRequest);
    case raftField.txn:
      return txnText(request as TxnRequest);
    case raftField.compaction: {
      const { revision, physical } = request as { revision: number; physical: boolean };
      return fields({ revision, physical });
    }
    case raftField.leaseGrant: {
      const { ttlSeconds, id } = request as LeaseGrantRequest;
      return `ttl:${ttlSeconds}-second id:${hexId(id)}`;
    }
    case raftField.leaseRevoke:
      return `id:${hexId(request as bigint)}`;
    default:
      return "";
  }
}

const hexId = (id: bigint): string => BigInt.asUintN(64, id).toString(16).padStart(16, "0");

const sortOrders = ["NONE", "ASCEND", "DESCEND"];
const sortTargets = ["KEY", "VERSION", "CREATE", "MOD", "VALUE"];

export function rangeText(request: RangeRequest): string {
  const { sortOrder, sortTarget } = request;
  return fields({
    key: request.key,
    range_end: request.rangeEnd,
    limit: request.limit,
    revision: request.revision,
    sort_order: sortOrder === 0 ? 0 : word(sortOrders, sortOrder),
    sort_target: sortTarget === 0 ? 0 : word(sortTargets, sortTarget),
    serializable: request.serializable,
    keys_only: request.keysOnly,
    count_only: request.countOnly,
    min_mod_revision: request.minModRevision,
    max_mod_revision: request.maxModRevision,
    min_create_revision: request.minCreateRevision,
    max_create_revision: request.maxCreateRevision,
  });
}

export function putText(request: PutRequest): string {
  return fields({
    key: request.key,
    value_size: request.value.length,
    lease: request.lease,
    prev_kv: request.prevKv,
    ignore_value: request.ignoreValue,
    ignore_lease: request.ignoreLease,
  });
}

export function deleteRangeText({ key, rangeEnd, prevKv }: DeleteRangeRequest): string {
  return fields({ key, range_end: rangeEnd, prev_kv: prevKv });
}

export function txnText({ compare, success, failure }: TxnRequest): string {
  const ops = (list: readonly RequestOp[]) => list.map(opText).join(" ");
  return `compare:<${compare.map(compareText).join(" ")}> success:<${ops(success)}> failure:<${ops(failure)}>`;
}

function opText(op: RequestOp): string {
  switch (op.kind) {
    case "range":
      return `request_range:<${rangeText(op.range)}>`;
    case "put":
      return `request_put:<${putText(op.put)}>`;
    case "deleteRange":
      return `request_delete_range:<${deleteRangeText(op.deleteRange)}>`;
    case "txn":
      return `request_txn:<${txnText(op.txn)}>`;
    case "none":
      return "";
  }
}

const compareResults = ["EQUAL", "GREATER", "LESS", "NOT_EQUAL"];
const compareTargets = ["VERSION", "CREATE", "MOD", "VALUE", "LEASE"];
const operandNames = ["version", "create_revision", "mod_revision", "value_size", "lease"];

function compareText({ result, target, key, rangeEnd, operand }: Compare): string {
  const shown = operand instanceof Uint8Array ? operand.length : (operand ?? 0);
  return fields({
    result: result === 0 ? 0 : word(compareResults, result),
    target: target === 0 ? 0 : word(compareTargets, target),
    key,
    [operandNames[target] ?? "operand"]: shown,
    range_end: rangeEnd,
  });
}

/** A word that is printed without quotes. */
class Word {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const word = (words: readonly string[], index: number): Word => new Word(words[index] ?? String(index));

/** Fields that have their default are left out. */
function fields(all: Readonly<Record<string, Uint8Array | Word | number | bigint | boolean>>): string {
  const shown: string[] = [];
  for (const [name, value] of Object.entries(all)) {
    if (value instanceof Uint8Array) {
      if (value.length > 0) shown.push(`${name}:${bytesText(value)}`);
    } else if (value instanceof Word) shown.push(`${name}:${value.text}`);
    else if (value !== false && value !== 0 && value !== 0n) shown.push(`${name}:${value}`);
  }
  return shown.join(" ");
}

const named: Readonly<Record<number, string>> = {
  10: "\\n",
  13: "\\r",
  9: "\\t",
  34: '\\"',
  39: "\\'",
  92: "\\\\",
};

/** Printable ASCII as it is, everything else as three octal digits, as protobuf's text form has it. */
function bytesText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte in named) text += named[byte];
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${byte.toString(8).padStart(3, "0")}`;
  }
  return `"${text}"`;
}
