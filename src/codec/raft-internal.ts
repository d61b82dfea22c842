/**
 * InternalRaftRequest: the data of a normal log entry. To propose a request its own bytes, as they came from the
 * client, are wrapped and not encoded again; to apply one, the frequent kinds are decoded here and the others are
 * handed on as bytes for the generated code.
 */
import type { LeaseId } from "../lib/ids.ts";
import { emptyCompactionRequest, readCompactionRequest } from "./compaction.ts";
import { emptyDeleteRangeRequest, readDeleteRangeRequest } from "./delete-range.ts";
import type { CompactionRequest, DeleteRangeRequest, PutRequest, RangeRequest, TxnRequest } from "./kv.ts";
import {
  emptyLeaseGrantRequest,
  type LeaseCheckpoint,
  type LeaseGrantRequest,
  readLeaseCheckpoints,
  readLeaseGrantRequest,
  readLeaseId,
} from "./lease.ts";
import { messageDepthLimit, noBytes, Reader } from "./protowire-read.ts";
import {
  bigFieldSize,
  bytesFieldSize,
  encodeUtf8,
  numberFieldSize,
  sealed,
  varintSize,
  writeBigField,
  writeBytes,
  writeBytesField,
  writeNumberField,
  writeVarint,
} from "./protowire-write.ts";
import { emptyPutRequest, readPutRequest } from "./put.ts";
import { emptyRangeRequest, readRangeRequest } from "./range.ts";
import { emptyTxnRequest, readTxnRequest } from "./txn-request.ts";

/** The numbers of InternalRaftRequest's fields. */
export const raftField = {
  range: 3,
  put: 4,
  deleteRange: 5,
  txn: 6,
  compaction: 7,
  leaseGrant: 8,
  leaseRevoke: 9,
  alarm: 10,
  leaseCheckpoint: 11,
  authEnable: 1000,
  authDisable: 1011,
  authenticate: 1012,
  authStatus: 1013,
  authUserAdd: 1100,
  authUserDelete: 1101,
  authUserGet: 1102,
  authUserChangePassword: 1103,
  authUserGrantRole: 1104,
  authUserRevokeRole: 1105,
  authUserList: 1106,
  authRoleList: 1107,
  authRoleAdd: 1200,
  authRoleDelete: 1201,
  authRoleGet: 1202,
  authRoleGrantPermission: 1203,
  authRoleRevokePermission: 1204,
  clusterVersionSet: 1300,
  clusterMemberAttrSet: 1301,
  downgradeInfoSet: 1302,
  downgradeVersionTest: 9900,
} as const;
export type RaftField = (typeof raftField)[keyof typeof raftField];

const headerField = 100;

/** RequestHeader: who asked, and which waiting caller gets the answer. */
export interface RequestHeader {
  /** Unique among the requests in flight; 0n if nobody waits. */
  readonly id: bigint;
  /** Empty without authentication. */
  readonly username: string;
  /** The revision of the auth store at which permissions were checked. */
  readonly authRevision: number;
}

export type RaftRequestBody =
  | { readonly kind: "range"; readonly range: RangeRequest }
  | { readonly kind: "put"; readonly put: PutRequest }
  | { readonly kind: "deleteRange"; readonly deleteRange: DeleteRangeRequest }
  | { readonly kind: "txn"; readonly txn: TxnRequest }
  | { readonly kind: "compaction"; readonly compaction: CompactionRequest }
  | { readonly kind: "leaseGrant"; readonly leaseGrant: LeaseGrantRequest }
  | { readonly kind: "leaseRevoke"; readonly leaseRevoke: LeaseId }
  | { readonly kind: "leaseCheckpoint"; readonly leaseCheckpoint: LeaseCheckpoint[] }
  /** One of the others of raftField, or one that a newer version knows. */
  | { readonly kind: "other"; readonly field: number; readonly bytes: Uint8Array }
  | { readonly kind: "none" };

export interface RaftRequest {
  readonly header: RequestHeader;
  readonly body: RaftRequestBody;
}

/** Wraps `body`, the bytes of the message that belongs to `field`. */
export function encodeRaftRequest(header: RequestHeader, field: RaftField, body: Uint8Array): Uint8Array {
  const username = header.username === "" ? noBytes : encodeUtf8(header.username);
  const headerSize =
    bigFieldSize(header.id) + bytesFieldSize(username) + numberFieldSize(header.authRevision);
  const bodyTag = field * 8 + 2;
  const headerTag = headerField * 8 + 2;
  const buffer = new Uint8Array(
    varintSize(headerTag) +
      varintSize(headerSize) +
      headerSize +
      varintSize(bodyTag) +
      varintSize(body.length) +
      body.length,
  );
  let at = field < headerField ? writeMessage(buffer, 0, bodyTag, body) : 0;
  at = writeVarint(buffer, at, headerTag);
  at = writeVarint(buffer, at, headerSize);
  at = writeBigField(buffer, at, 0x08, header.id);
  at = writeBytesField(buffer, at, 0x12, username);
  at = writeNumberField(buffer, at, 0x18, header.authRevision);
  return sealed(buffer, field < headerField ? at : writeMessage(buffer, at, bodyTag, body));
}

function writeMessage(buffer: Uint8Array, at: number, tag: number, body: Uint8Array): number {
  return writeBytes(buffer, writeVarint(buffer, writeVarint(buffer, at, tag), body.length), body);
}

export function decodeRaftRequest(bytes: Uint8Array): RaftRequest {
  // A client's message lies one deeper here than it did at the door: what was taken there has to be read here.
  const reader = new Reader(bytes, messageDepthLimit + 1);
  let header: RequestHeader = { id: 0n, username: "", authRevision: 0 };
  /** The id's old place, which counts when the header has none. */
  let oldId = 0n;
  let body: RaftRequestBody = { kind: "none" };
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) {
      oldId = reader.bigUint();
    } else if ((tag & 7) !== 2 || tag < raftField.range * 8) {
      reader.skip(tag);
    } else {
      const outer = reader.enter();
      if (tag >>> 3 === headerField) header = readRequestHeader(reader, header);
      else body = readBody(reader, tag >>> 3, body);
      reader.leave(outer);
    }
  }
  return { header: header.id === 0n ? { ...header, id: oldId } : header, body };
}

function readRequestHeader(reader: Reader, before: RequestHeader): RequestHeader {
  let { id, username, authRevision } = before;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) id = reader.bigUint();
    else if (tag === 0x12) username = reader.string();
    else if (tag === 0x18) authRevision = reader.uint();
    else reader.skip(tag);
  }
  return { id, username, authRevision };
}

/** Reads one request. If the same kind came before, the two are merged; otherwise the later one counts. */
function readBody(reader: Reader, field: number, before: RaftRequestBody): RaftRequestBody {
  switch (field) {
    case raftField.range: {
      const into = before.kind === "range" ? before.range : emptyRangeRequest();
      return { kind: "range", range: readRangeRequest(reader, into) };
    }
    case raftField.put: {
      const into = before.kind === "put" ? before.put : emptyPutRequest();
      return { kind: "put", put: readPutRequest(reader, into) };
    }
    case raftField.deleteRange: {
      const into = before.kind === "deleteRange" ? before.deleteRange : emptyDeleteRangeRequest();
      return { kind: "deleteRange", deleteRange: readDeleteRangeRequest(reader, into) };
    }
    case raftField.txn: {
      const into = before.kind === "txn" ? before.txn : emptyTxnRequest();
      return { kind: "txn", txn: readTxnRequest(reader, into) };
    }
    case raftField.compaction: {
      const into = before.kind === "compaction" ? before.compaction : emptyCompactionRequest();
      return { kind: "compaction", compaction: readCompactionRequest(reader, into) };
    }
    case raftField.leaseGrant: {
      const into = before.kind === "leaseGrant" ? before.leaseGrant : emptyLeaseGrantRequest();
      return { kind: "leaseGrant", leaseGrant: readLeaseGrantRequest(reader, into) };
    }
    case raftField.leaseRevoke: {
      const into = before.kind === "leaseRevoke" ? before.leaseRevoke : (0n as LeaseId);
      return { kind: "leaseRevoke", leaseRevoke: readLeaseId(reader, into) };
    }
    case raftField.leaseCheckpoint: {
      const into = before.kind === "leaseCheckpoint" ? before.leaseCheckpoint : [];
      return { kind: "leaseCheckpoint", leaseCheckpoint: readLeaseCheckpoints(reader, into) };
    }
    default:
      return { kind: "other", field, bytes: readRest(reader, before, field) };
  }
}

function readRest(reader: Reader, before: RaftRequestBody, field: number): Uint8Array {
  const rest = reader.rest();
  if (before.kind !== "other" || before.field !== field) return rest;
  // Messages are merged by joining their bytes.
  const joined = new Uint8Array(before.bytes.length + rest.length);
  joined.set(before.bytes);
  joined.set(rest, before.bytes.length);
  return joined;
}
