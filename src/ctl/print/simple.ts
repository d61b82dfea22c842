/** `-w simple`: for people, and for scripts that read lines. */
import type { Permission } from "../../client/messages/auth.ts";
import type { KeyValue, ResponseOp } from "../../client/messages/kv.ts";
import { prefixEnd } from "../../client/prefix-end.ts";
import type { Output, Printer, Style } from "./results.ts";
import { hashRows, hex, memberRows, statusRows } from "./rows.ts";

type Piece = string | Uint8Array;

const id16 = (id: bigint): string => {
  const text = (id < 0n ? -id : id).toString(16);
  return id < 0n ? `-${text.padStart(15, "0")}` : text.padStart(16, "0");
};
const blankId = (id: bigint | undefined): string => hex(id).padStart(16, " ");
const lines = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => `${row.join(", ")}\n`).join("");
const list = (words: readonly string[]): string => words.map((word) => `${word}\n`).join("");

function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

function keyValue({ key, value }: KeyValue, { isHex }: Style): Piece[] {
  return isHex ? [`${hexText(key)}\n${hexText(value)}\n`] : [key, "\n", value, "\n"];
}

const keyValues = (kvs: readonly KeyValue[], style: Style): Piece[] =>
  kvs.flatMap((kv) => keyValue(kv, style));

export const eventNames = ["PUT", "DELETE"] as const;
export const alarmNames = ["NONE", "NOSPACE", "CORRUPT"] as const;

/** 0 reads, 1 writes, 2 does both. */
const mayRead = ({ permType }: Permission): boolean => permType !== 1;
const mayWrite = ({ permType }: Permission): boolean => permType !== 0;
const isOpenEnd = (end: Uint8Array): boolean => end.length === 1 && end[0] === 0;

function permission({ key, range_end }: Permission): Piece[] {
  if (range_end.length === 0) return ["\t", key, "\n"];
  const range: Piece[] = isOpenEnd(range_end)
    ? ["\t[", key, ", <open ended>"]
    : ["\t[", key, ", ", range_end, ")"];
  const isPrefix = key.length > 0 && Buffer.compare(prefixEnd(key), range_end) === 0;
  return [...range, ...(isPrefix ? [" (prefix ", key, ")"] : []), "\n"];
}

function operation(op: ResponseOp, style: Style): readonly Piece[] {
  if (op.response_range) return pieces(simplePrinter.get!(op.response_range, style));
  if (op.response_put) return pieces(simplePrinter.put!(op.response_put, style));
  if (op.response_delete_range) return pieces(simplePrinter.del!(op.response_delete_range, style));
  return ["unexpected response\n"];
}

const pieces = (output: Output): readonly Piece[] => (typeof output === "string" ? [output] : output);

const memberDone =
  (what: string) =>
  ({ id, response }: { id: bigint; response: { header: { cluster_id: bigint } | undefined } }): string =>
    `Member ${blankId(id)} ${what} cluster ${blankId(response.header?.cluster_id)}\n`;

const kvPrinter: Printer = {
  del: (r, style) => [`${r.deleted}\n`, ...keyValues(r.prev_kvs, style)],
  get: (r, style) => keyValues(r.kvs, style),
  values: (r, style) => r.kvs.flatMap(({ value }) => (style.isHex ? [`${hexText(value)}\n`] : [value, "\n"])),
  put: (r, style) => ["OK\n", ...(r.prev_kv ? keyValue(r.prev_kv, style) : [])],
  txn: (r, style) => [
    r.succeeded ? "SUCCESS\n" : "FAILURE\n",
    ...r.responses.flatMap((op) => ["\n", ...operation(op, style)]),
  ],
  watch: (r, style) =>
    r.events.flatMap((event) => [
      `${eventNames[event.type as 0 | 1]}\n`,
      ...(event.prev_kv ? keyValue(event.prev_kv, style) : []),
      ...(event.kv ? keyValue(event.kv, style) : []),
    ]),
};

const leasePrinter: Printer = {
  grant: (r) => `lease ${id16(r.ID)} granted with TTL(${r.TTL}s)\n`,
  revoke: ({ id }) => `lease ${id16(id)} revoked\n`,
  keepAlive: (r) => `lease ${id16(r.ID)} keepalived with TTL(${r.TTL})\n`,
  timeToLive: ({ response: r, withKeys }) => {
    if (r.grantedTTL === 0n && r.TTL === -1n) return `lease ${id16(r.ID)} already expired\n`;
    const keys = r.keys.flatMap((key, at) => (at === 0 ? [key] : [" ", key]));
    return [
      `lease ${id16(r.ID)} granted with TTL(${r.grantedTTL}s), remaining(${r.TTL}s)`,
      ...(withKeys ? [", attached keys([", ...keys, "])"] : []),
      "\n",
    ];
  },
  leases: (r) => `found ${r.leases.length} leases\n${list(r.leases.map(({ ID }) => id16(ID)))}`,
};

const memberPrinter: Printer = {
  memberAdd: (r) =>
    `Member ${blankId(r.member?.ID)} added${r.member?.isLearner ? " as learner " : " "}to cluster ${blankId(r.header?.cluster_id)}\n`,
  memberRemove: memberDone("removed from"),
  memberUpdate: memberDone("updated in"),
  memberPromote: memberDone("promoted in"),
  memberList: (r) => lines(memberRows(r)),
  endpointStatus: (r) => lines(statusRows(r)),
  endpointHash: (r) => lines(hashRows(r)),
  moveLeader: ({ from, to }) => `Leadership transferred from ${hex(from)} to ${hex(to)}\n`,
  downgradeValidate: (r) => `Downgrade validate success, cluster version ${r.version}\n`,
  downgradeEnable: (r) => `Downgrade enable success, cluster version ${r.version}\n`,
  downgradeCancel: (r) => `Downgrade cancel success, cluster version ${r.version}\n`,
  alarm: (r) =>
    list(
      r.alarms.map(({ memberID, alarm }) => `memberID:${memberID} alarm:${alarmNames[alarm as 0 | 1 | 2]}`),
    ),
};

const authPrinter: Printer = {
  roleAdd: ({ role }) => `Role ${role} created\n`,
  roleGet: ({ role, response: { perm } }) => {
    const all = "\t[, <open ended>\n";
    if (role === "root" && perm.length === 0) return `Role root\nKV Read:\n${all}KV Write:\n${all}`;
    return [
      `Role ${role}\nKV Read:\n`,
      ...perm.filter(mayRead).flatMap(permission),
      "KV Write:\n",
      ...perm.filter(mayWrite).flatMap(permission),
    ];
  },
  roleDelete: ({ role }) => `Role ${role} deleted\n`,
  roleList: (r) => list(r.roles),
  roleGrant: ({ role }) => `Role ${role} updated\n`,
  roleRevoke: ({ role, key, rangeEnd }) => {
    if (rangeEnd === "") return `Permission of key ${key} is revoked from role ${role}\n`;
    const end = rangeEnd === "\0" ? "<open ended>" : `${rangeEnd})`;
    return `Permission of range [${key}, ${end} is revoked from role ${role}\n`;
  },
  userAdd: ({ user }) => `User ${user} created\n`,
  userGet: ({ user, response: { roles } }) =>
    `User: ${user}\nRoles:${roles.map((role) => ` ${role}`).join("")}\n`,
  userList: (r) => list(r.users),
  userPassword: () => "Password updated\n",
  userGrant: ({ user, role }) => `Role ${role} is granted to user ${user}\n`,
  userRevoke: ({ user, role }) => `Role ${role} is revoked from user ${user}\n`,
  userDelete: ({ user }) => `User ${user} deleted\n`,
  authStatus: (r) => `Authentication Status: ${r.enabled}\nAuthRevision: ${r.authRevision}\n`,
};

/** Health is told on two streams: see commands/endpoint-health.ts. */
export const simplePrinter: Printer = { ...kvPrinter, ...leasePrinter, ...memberPrinter, ...authPrinter };
