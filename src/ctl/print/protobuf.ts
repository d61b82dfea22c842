/** `-w protobuf`: the answers' own bytes. */
import * as cluster from "../../client/messages/cluster.ts";
import * as kv from "../../client/messages/kv.ts";
import * as lease from "../../client/messages/lease.ts";
import * as maintenance from "../../client/messages/maintenance.ts";
import { watchResponse } from "../../client/messages/watch.ts";
import { encode } from "../../client/wire/codec.ts";
import type { Init, MessageType } from "../../client/wire/message.ts";
import { authAnswers } from "./auth-answers.ts";
import type { Output, Printer } from "./results.ts";

const plain =
  <T>(type: MessageType<T>) =>
  (value: T): Output => [encode(type, value as Init<T>)];

const answer =
  <T>(type: MessageType<T>) =>
  ({ response }: { readonly response: T }): Output => [encode(type, response as Init<T>)];

/** Of lease calls etcdctl prints the header alone, and who reads that is used to it. */
const header = (of: kv.ResponseHeader | undefined): Output => [encode(kv.responseHeader, of ?? {})];

export const protobufPrinter: Printer = {
  del: plain(kv.deleteRangeResponse),
  get: plain(kv.rangeResponse),
  put: plain(kv.putResponse),
  txn: plain(kv.txnResponse),
  watch: (r) => [
    encode(watchResponse, {
      header: r.header,
      events: r.events,
      compact_revision: r.compactRevision,
      canceled: r.isCanceled,
      created: r.isCreated,
    }),
  ],
  grant: (r) => header(r.header),
  revoke: answer(lease.leaseRevokeResponse),
  keepAlive: (r) => header(r.header),
  timeToLive: ({ response }) => header(response.header),
  leases: (r) => header(r.header),
  memberAdd: plain(cluster.memberAddResponse),
  memberRemove: answer(cluster.memberRemoveResponse),
  memberUpdate: answer(cluster.memberUpdateResponse),
  memberPromote: answer(cluster.memberPromoteResponse),
  memberList: plain(cluster.memberListResponse),
  moveLeader: answer(maintenance.moveLeaderResponse),
  downgradeValidate: plain(maintenance.downgradeResponse),
  downgradeEnable: plain(maintenance.downgradeResponse),
  downgradeCancel: plain(maintenance.downgradeResponse),
  alarm: plain(maintenance.alarmResponse),
  ...authAnswers({ plain, answer }),
};
