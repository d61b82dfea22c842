/** Answers as text that must be equal on both sides. */
import { type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as rpc from "../../src/gen/etcdserverpb/rpc_pb.ts";
import * as election from "../../src/gen/v3electionpb/v3election_pb.ts";
import * as lock from "../../src/gen/v3lockpb/v3lock_pb.ts";
import type { Outcome } from "./pair.ts";
import { textOf } from "./requests.ts";

const byBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b);

/** What may differ, made equal: times, sizes, places in the log, and the order of what etcd keeps in maps. */
const levelled: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  "/etcdserverpb.Lease/LeaseTimeToLive": (bytes) => {
    const answer = fromBinary(rpc.LeaseTimeToLiveResponseSchema, bytes);
    answer.keys.sort(byBytes);
    const used = Number(answer.grantedTTL - answer.TTL);
    if (used >= 0 && used < 600) answer.TTL = answer.grantedTTL;
    return answer;
  },
  "/etcdserverpb.Lease/LeaseLeases": (bytes) => {
    const answer = fromBinary(rpc.LeaseLeasesResponseSchema, bytes);
    answer.leases.sort((a, b) => (a.ID < b.ID ? -1 : 1));
    return answer;
  },
  "/etcdserverpb.Maintenance/Status": (bytes) => {
    const answer = fromBinary(rpc.StatusResponseSchema, bytes);
    // How many blanks stand in them falls by the hash of etcd's executable.
    const words = answer.errors.map((error) => error.replaceAll(/ +/g, " ")).sort();
    return { ...answer, errors: words, dbSize: 0n, dbSizeInUse: 0n, raftIndex: 0n, raftAppliedIndex: 0n };
  },
  "/etcdserverpb.Maintenance/Alarm": (bytes) => {
    const answer = fromBinary(rpc.AlarmResponseSchema, bytes);
    answer.alarms.sort((a, b) => a.alarm - b.alarm || (a.memberID < b.memberID ? -1 : 1));
    return answer;
  },
  "/etcdserverpb.Auth/Authenticate": (bytes) => {
    const answer = fromBinary(rpc.AuthenticateResponseSchema, bytes);
    return { ...answer, token: answer.token === "" ? "" : "a token" };
  },
};

const shown: Readonly<Record<string, DescMessage>> = {
  "/etcdserverpb.KV/Range": rpc.RangeResponseSchema,
  "/etcdserverpb.KV/RangeStream": rpc.RangeStreamResponseSchema,
  "/etcdserverpb.KV/Put": rpc.PutResponseSchema,
  "/etcdserverpb.KV/DeleteRange": rpc.DeleteRangeResponseSchema,
  "/etcdserverpb.KV/Txn": rpc.TxnResponseSchema,
  "/etcdserverpb.KV/Compact": rpc.CompactionResponseSchema,
  "/etcdserverpb.Maintenance/HashKV": rpc.HashKVResponseSchema,
  "/etcdserverpb.Maintenance/Downgrade": rpc.DowngradeResponseSchema,
  "/etcdserverpb.Cluster/MemberList": rpc.MemberListResponseSchema,
  "/etcdserverpb.Lease/LeaseGrant": rpc.LeaseGrantResponseSchema,
  "/etcdserverpb.Lease/LeaseRevoke": rpc.LeaseRevokeResponseSchema,
  "/etcdserverpb.Lease/LeaseKeepAlive": rpc.LeaseKeepAliveResponseSchema,
  "/v3electionpb.Election/Leader": election.LeaderResponseSchema,
  "/v3electionpb.Election/Campaign": election.CampaignResponseSchema,
  "/v3lockpb.Lock/Unlock": lock.UnlockResponseSchema,
};

/** The very bytes, with what they say beside them for the reader; or what they say, where bytes may differ. */
export function comparable(path: string, outcome: Outcome): string {
  const level = levelled[path];
  const answers = outcome.answers.map((bytes) => {
    if (level !== undefined) return textOf(level(bytes));
    return `${bytes.length > 10_000 ? "" : Buffer.from(bytes).toString("hex")}${readable(path, bytes)}`;
  });
  return [`status ${outcome.code} ${outcome.message}`, ...answers].join("\n");
}

function readable(path: string, bytes: Uint8Array): string {
  const schema = shown[path];
  if (schema === undefined) return "";
  const message = fromBinary(schema, bytes);
  const same = Buffer.compare(toBinary(schema, message), bytes) === 0;
  return ` ${textOf(message)}${same ? "" : " (not in the usual form)"}`;
}
