/** `-w fields`: a line for each field. */
import type { KeyValue, ResponseHeader, ResponseOp } from "../../client/messages/kv.ts";
import { goQuote } from "../../lib/go-quote.ts";
import { goQuoteBytes } from "./go-bytes.ts";
import type { Output, Printer, Style } from "./results.ts";
import { alarmNames, eventNames } from "./simple.ts";

const line = (name: string, value: unknown): string => `"${name}" : ${value}\n`;
const memberId = (value: bigint, { isHex }: Style): string => (isHex ? value.toString(16) : String(value));
const leaseId = (value: bigint, { isHex }: Style): string =>
  isHex ? value.toString(16).padStart(16, "0") : String(value);

function header(given: ResponseHeader | undefined, style: Style): string {
  const { cluster_id = 0n, member_id = 0n, revision = 0n, raft_term = 0n } = given ?? {};
  return (
    line("ClusterID", memberId(cluster_id, style)) +
    line("MemberID", memberId(member_id, style)) +
    (revision > 0n ? line("Revision", revision) : "") +
    line("RaftTerm", raft_term)
  );
}

function keyValue(prefix: string, kv: KeyValue | undefined, style: Style): string {
  if (kv === undefined) return "";
  return (
    line(`${prefix}Key`, goQuoteBytes(kv.key)) +
    line(`${prefix}CreateRevision`, kv.create_revision) +
    line(`${prefix}ModRevision`, kv.mod_revision) +
    line(`${prefix}Version`, kv.version) +
    line(`${prefix}Value`, goQuoteBytes(kv.value)) +
    line(`${prefix}Lease`, leaseId(kv.lease, style))
  );
}

type WithHeader = { readonly header: ResponseHeader | undefined };
const onlyHeader = ({ response }: { readonly response: WithHeader }, style: Style): Output =>
  header(response.header, style);

function operation(op: ResponseOp, style: Style): Output {
  if (op.response_range) return fieldsPrinter.get!(op.response_range, style);
  if (op.response_put) return fieldsPrinter.put!(op.response_put, style);
  if (op.response_delete_range) return fieldsPrinter.del!(op.response_delete_range, style);
  return '"Unknown" : ""\n';
}

const permissionNames = ["READ", "WRITE", "READWRITE"];

export const fieldsPrinter: Printer = {
  del: (r, style) =>
    header(r.header, style) +
    line("Deleted", r.deleted) +
    r.prev_kvs.map((kv) => keyValue("Prev", kv, style)).join(""),
  get: (r, style) =>
    header(r.header, style) +
    r.kvs.map((kv) => keyValue("", kv, style)).join("") +
    line("More", r.more) +
    line("Count", r.count),
  put: (r, style) => header(r.header, style) + keyValue("Prev", r.prev_kv, style),
  txn: (r, style) =>
    header(r.header, style) +
    line("Succeeded", r.succeeded) +
    r.responses.map((op) => operation(op, style)).join(""),
  watch: (r, style) =>
    header(r.header, style) +
    r.events
      .map(
        (event) =>
          line("Type", eventNames[event.type as 0 | 1]) +
          keyValue("Prev", event.prev_kv, style) +
          keyValue("", event.kv, style),
      )
      .join(""),
  grant: (r, style) => header(r.header, style) + line("ID", leaseId(r.ID, style)) + line("TTL", r.TTL),
  revoke: onlyHeader,
  keepAlive: (r, style) => header(r.header, style) + line("ID", leaseId(r.ID, style)) + line("TTL", r.TTL),
  timeToLive: ({ response: r }, style) =>
    header(r.header, style) +
    line("ID", leaseId(r.ID, style)) +
    line("TTL", r.TTL) +
    line("GrantedTTL", r.grantedTTL) +
    r.keys.map((key) => line("Key", goQuoteBytes(key))).join(""),
  leases: (r, style) =>
    header(r.header, style) + r.leases.map(({ ID }) => line("ID", leaseId(ID, style))).join(""),
  memberList: (r, style) =>
    header(r.header, style) +
    r.members
      .map(
        (member) =>
          line("ID", memberId(member.ID, style)) +
          line("Name", goQuote(member.name)) +
          member.peerURLs.map((url) => line("PeerURL", goQuote(url))).join("") +
          member.clientURLs.map((url) => line("ClientURL", goQuote(url))).join("") +
          `${line("IsLearner", member.isLearner)}\n`,
      )
      .join(""),
  endpointHealth: (list) =>
    list
      .map(
        ({ endpoint, health, took, error }) =>
          `${line("Endpoint", goQuote(endpoint))}${line("Health", health)}${line("Took", took)}${line("Error", error)}\n`,
      )
      .join(""),
  endpointStatus: (list, style) =>
    list
      .map(
        ({ endpoint, status }) =>
          header(status.header, style) +
          line("Version", goQuote(status.version)) +
          line("StorageVersion", goQuote(status.storageVersion)) +
          line("DBSize", status.dbSize) +
          line("DBSizeInUse", status.dbSizeInUse) +
          line("DBSizeQuota", status.dbSizeQuota) +
          line("Leader", status.leader) +
          line("IsLearner", status.isLearner) +
          line("RaftIndex", status.raftIndex) +
          line("RaftAppliedIndex", status.raftAppliedIndex) +
          line("Errors", `[${status.errors.join(" ")}]`) +
          line("Endpoint", goQuote(endpoint)) +
          line("DowngradeTargetVersion", goQuote(status.downgradeInfo?.targetVersion ?? "")) +
          `${line("DowngradeEnabled", status.downgradeInfo?.enabled ?? false)}\n`,
      )
      .join(""),
  endpointHash: (list, style) =>
    list
      .map(
        ({ endpoint, hash }) =>
          header(hash.header, style) +
          line("Endpoint", goQuote(endpoint)) +
          line("Hash", hash.hash) +
          `${line("HashRevision", hash.hash_revision)}\n`,
      )
      .join(""),
  alarm: (r, style) =>
    header(r.header, style) +
    r.alarms
      .map(
        ({ memberID, alarm }) =>
          `${line("MemberID", memberId(memberID, style))}${line("AlarmType", alarmNames[alarm as 0 | 1 | 2])}\n`,
      )
      .join(""),
  roleAdd: onlyHeader,
  roleGet: ({ response: r }, style) =>
    header(r.header, style) +
    r.perm
      .map(
        ({ permType, key, range_end }) =>
          // Two blanks, as etcdctl has it.
          `"PermType" :  ${permissionNames[permType]}\n` +
          line("Key", goQuoteBytes(key)) +
          line("RangeEnd", goQuoteBytes(range_end)),
      )
      .join(""),
  roleDelete: onlyHeader,
  roleList: (r, style) =>
    `${header(r.header, style)}"Roles" :${r.roles.map((role) => ` ${goQuote(role)}`).join("")}\n`,
  roleGrant: onlyHeader,
  roleRevoke: onlyHeader,
  userAdd: onlyHeader,
  userPassword: (r, style) => header(r.header, style),
  userGrant: onlyHeader,
  userRevoke: onlyHeader,
  userDelete: onlyHeader,
};
