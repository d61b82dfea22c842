/** `-w json`: what Go's encoding/json makes of the answers. */
import * as cluster from "../../client/messages/cluster.ts";
import * as kv from "../../client/messages/kv.ts";
import * as lease from "../../client/messages/lease.ts";
import * as maintenance from "../../client/messages/maintenance.ts";
import { event } from "../../client/messages/watch.ts";
import type { MessageType } from "../../client/wire/message.ts";
import { authAnswers } from "./auth-answers.ts";
import { goJson, type Json, messageJson } from "./go-json.ts";
import type { Printer, Style } from "./results.ts";

const line = (json: Json): string => `${goJson(json)}\n`;

const plain =
  <T>(type: MessageType<T>) =>
  (value: T): string =>
    line(messageJson(type, value));

/** For results that come with what was asked. */
const answer =
  <T>(type: MessageType<T>) =>
  ({ response }: { readonly response: T }): string =>
    line(messageJson(type, response));

type Header = kv.ResponseHeader | undefined;

/** clientv3 puts the header's members among those of the answer to a lease call. */
function withHeader(header: Header, members: { readonly [name: string]: Json }): string {
  const first = header === undefined ? {} : (messageJson(kv.responseHeader, header) as object);
  return line({ ...first, ...members });
}

function hexHeader(header: Header): Json {
  if (header === undefined) return null;
  return {
    cluster_id: header.cluster_id.toString(16),
    member_id: header.member_id.toString(16),
    revision: header.revision === 0n ? undefined : header.revision,
    raft_term: header.raft_term === 0n ? undefined : header.raft_term,
  };
}

function hexMember(member: cluster.Member): Json {
  return { ...(messageJson(cluster.member, member) as object), ID: member.ID.toString(16) };
}

interface Members {
  readonly header: Header;
  readonly member?: cluster.Member | undefined;
  readonly members: readonly cluster.Member[];
}

/** The only answers whose ids --hex changes. */
function members<T extends Members>(type: MessageType<T>, value: T, { isHex }: Style): string {
  if (!isHex) return line(messageJson(type, value));
  return line({
    header: hexHeader(value.header),
    ...(value.member === undefined ? {} : { member: hexMember(value.member) }),
    members: value.members.map(hexMember),
  });
}

function transaction(response: kv.TxnResponse): Json {
  return {
    header: response.header && messageJson(kv.responseHeader, response.header),
    succeeded: response.succeeded || undefined,
    responses:
      response.responses.length === 0
        ? undefined
        : response.responses.map(({ response_txn, ...op }) => ({
            Response: {
              ...(messageJson(kv.responseOp, { ...op, response_txn: undefined }) as object),
              ...(response_txn === undefined ? {} : { response_txn: transaction(response_txn) }),
            },
          })),
  };
}

const kvPrinter: Printer = {
  del: plain(kv.deleteRangeResponse),
  get: plain(kv.rangeResponse),
  put: plain(kv.putResponse),
  txn: (r) => line(transaction(r)),
  watch: (r) =>
    line({
      Header: r.header === undefined ? null : messageJson(kv.responseHeader, r.header),
      Events:
        r.events.length === 0 ? (r.hasNoEvents ? null : []) : r.events.map((one) => messageJson(event, one)),
      CompactRevision: r.compactRevision,
      Canceled: r.isCanceled,
      Created: r.isCreated,
      CancelReason: r.cancelReason,
    }),
};

const leasePrinter: Printer = {
  grant: (r) => withHeader(r.header, { ID: r.ID, TTL: r.TTL, Error: r.error }),
  revoke: answer(lease.leaseRevokeResponse),
  keepAlive: (r) => withHeader(r.header, { ID: r.ID, TTL: r.TTL }),
  timeToLive: ({ response: r }) =>
    withHeader(r.header, {
      id: r.ID,
      ttl: r.TTL,
      "granted-ttl": r.grantedTTL,
      keys: r.keys.length === 0 ? null : r.keys,
    }),
  leases: (r) => withHeader(r.header, { leases: r.leases.map(({ ID }) => ({ id: ID })) }),
};

const memberPrinter: Printer = {
  memberAdd: (r, style) => members(cluster.memberAddResponse, r, style),
  memberRemove: ({ response }, style) => members(cluster.memberRemoveResponse, response, style),
  memberUpdate: ({ response }, style) => members(cluster.memberUpdateResponse, response, style),
  memberPromote: ({ response }, style) => members(cluster.memberPromoteResponse, response, style),
  memberList: (r, style) => members(cluster.memberListResponse, r, style),
  endpointHealth: (list) =>
    line(
      list.map(({ endpoint, health, took, error }) => ({
        endpoint,
        health,
        took,
        error: error || undefined,
      })),
    ),
  endpointStatus: (list) =>
    line(
      orNull(
        list.map(({ endpoint, status }) => ({
          Endpoint: endpoint,
          Status: messageJson(maintenance.statusResponse, status),
        })),
      ),
    ),
  endpointHash: (list) =>
    line(
      orNull(
        list.map(({ endpoint, hash }) => ({
          Endpoint: endpoint,
          HashKV: messageJson(maintenance.hashKVResponse, hash),
        })),
      ),
    ),
  moveLeader: answer(maintenance.moveLeaderResponse),
  downgradeValidate: plain(maintenance.downgradeResponse),
  downgradeEnable: plain(maintenance.downgradeResponse),
  downgradeCancel: plain(maintenance.downgradeResponse),
  alarm: plain(maintenance.alarmResponse),
};

/** A Go slice that nothing was put into. */
const orNull = (list: readonly Json[]): Json => (list.length === 0 ? null : list);

const authPrinter = authAnswers({ plain, answer });

export const jsonPrinter: Printer = { ...kvPrinter, ...leasePrinter, ...memberPrinter, ...authPrinter };
