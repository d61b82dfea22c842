/** What is asked of both gateways, in this order: each request finds what those before it have left. */

export interface Case {
  readonly path: string;
  readonly body: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a stream that does not end by itself: how many lines to read. */
  readonly lines?: number;
  /** etcd itself sends these lines now in one order and now in another. */
  readonly anyOrder?: boolean;
}

const key = (text: string): string => Buffer.from(text).toString("base64");
const post = (path: string, body: unknown, more: Partial<Case> = {}): Case => ({
  path: `/v3/${path}`,
  body: typeof body === "string" ? body : JSON.stringify(body),
  ...more,
});
const raw = (path: string, bodies: readonly string[]): Case[] => bodies.map((body) => post(path, body));

const keyValues: readonly Case[] = [
  post("kv/put", { key: key("a"), value: key("1") }),
  post("kv/put", { key: key("b"), value: key("2") }),
  post("kv/put", { key: key("a"), value: key("3"), prev_kv: true }),
  post("kv/put", { key: key("a"), ignoreValue: true, prevKv: true }),
  post("kv/put", { key: key("c"), value: "" }),
  post("kv/put", { key: "", value: key("x") }),
  post("kv/put", { key: key("c"), value: key("x"), ignore_value: true }),
  post("kv/put", { key: key("nobody"), ignore_value: true }),
  post("kv/put", { key: key("l"), value: key("x"), lease: "99" }),
  post("kv/range", { key: key("a") }),
  post("kv/range", { key: key("a"), range_end: key("z") }),
  post("kv/range", { key: key("a"), rangeEnd: key("z"), limit: "2" }),
  post("kv/range", { key: key("a"), range_end: key("z"), keys_only: true }),
  post("kv/range", { key: key("a"), range_end: key("z"), countOnly: true }),
  post("kv/range", {
    key: key("a"),
    range_end: key("z"),
    sort_order: "DESCEND",
    sort_target: "MOD",
  }),
  post("kv/range", { key: key("a"), range_end: key("z"), sortOrder: 2, sortTarget: 4 }),
  post("kv/range", { key: key("a"), range_end: key("z"), min_mod_revision: 3, max_mod_revision: "4" }),
  post("kv/range", { key: "AA==", range_end: "AA==" }),
  post("kv/range", { key: key("a"), revision: "2" }),
  post("kv/range", { key: key("a"), revision: "999" }),
  post("kv/range", { key: key("a"), serializable: true }),
  post("kv/deleterange", { key: key("c"), prev_kv: true }),
  post("kv/deleterange", { key: key("c"), prev_kv: true }),
  post("kv/txn", {
    compare: [{ key: key("a"), target: "VALUE", result: "EQUAL", value: key("3") }],
    success: [{ request_range: { key: key("a") } }, { requestPut: { key: key("t"), value: key("9") } }],
    failure: [{ request_delete_range: { key: key("a") } }],
  }),
  post("kv/txn", {
    compare: [{ key: key("a"), target: "MOD", result: "LESS", mod_revision: "1" }],
    failure: [
      { request_delete_range: { key: key("t"), prev_kv: true } },
      { request_range: { key: key("a"), range_end: key("z") } },
    ],
  }),
  post("kv/txn", {
    compare: [{ key: key("a"), target: "VERSION", result: "GREATER", version: 0 }],
    success: [{ request_txn: { success: [{ request_put: { key: key("n"), value: key("in") } }] } }],
  }),
  post("kv/txn", { compare: [{ key: key("a"), target: "LEASE", lease: "0" }] }),
  post("kv/txn", {
    success: [{ request_put: { key: key("d") } }, { request_put: { key: key("d") } }],
  }),
  post("kv/txn", {}),
  post("kv/txn", { success: [{}] }),
  post("kv/compaction", { revision: "3" }),
  post("kv/compaction", { revision: "3" }),
  post("kv/compaction", { revision: "999", physical: true }),
  post("kv/range", { key: key("a"), revision: "2" }),
];

const refusals: readonly Case[] = raw("kv/range", [
  "",
  " \n",
  "{",
  "}",
  "[]",
  "null",
  "5",
  "-",
  "-x",
  "01",
  "1.",
  "1.x",
  "1e",
  "1e+x",
  '"text"',
  "tru",
  "trux",
  "nul ",
  "'",
  "é",
  "{,}",
  "{}}",
  '{"key"}',
  '{"key":}',
  '{"key":"YQ=="',
  '{"key":"YQ==",}',
  '{"key":"YQ==" "limit":1}',
  '{"key":"YQ==","limit":[1 2]}',
  '{"key":"\\x"}',
  '{"key":"\\u00g0"}',
  '{"key":"a\nb"}',
  '{"key":5}',
  '{"key":null}',
  '{"key":true}',
  '{"key":{}}',
  '{"key":["YQ=="]}',
  '{"key":"!!!"}',
  '{"key":"YQ"}',
  '{"key":"YQ="}',
  '{"key":"Y"}',
  '{"key":"YQ=\\n="}',
  '{"key":"\\u0059Q=="}',
  '{"key":"-_-_"}',
  '{"key":"-_8"}',
  '{"key":"+/+/"}',
  '{"key":"YQ==","key":"YQ=="}',
  '{"range_end":"Yg==","rangeEnd":"Yg==","key":"YQ=="}',
  '{"key":"YQ==","limit":"1e1"}',
  '{"key":"YQ==","limit":"1.0"}',
  '{"key":"YQ==","limit":1.0}',
  '{"key":"YQ==","limit":1.5}',
  '{"key":"YQ==","limit":"x"}',
  '{"key":"YQ==","limit":" 1"}',
  '{"key":"YQ==","limit":""}',
  '{"key":"YQ==","limit":"01"}',
  '{"key":"YQ==","limit":9223372036854775807}',
  '{"key":"YQ==","limit":9223372036854775808}',
  '{"key":"YQ==","limit":-9223372036854775808}',
  '{"key":"YQ==","limit":true}',
  '{"key":"YQ==","limit":{}}',
  '{"key":"YQ==",\n\t"limit":\n "z"}',
  '{"é":1,"key":"YQ==","limit":"z"}',
  '{"key":"YQ==","serializable":"true"}',
  '{"key":"YQ==","serializable":1}',
  '{"key":"YQ==","sort_order":"NOPE"}',
  '{"key":"YQ==","sort_order":99}',
  '{"key":"YQ==","sort_order":true}',
  '{"key":"YQ==","sort_order":1.5}',
  '{"key":"YQ==","unknown":{"deep":[1,{"x":"}"},"\\""]}}',
  '{"key":"YQ=="} {"key":',
  '{"key":"YQ=="}garbage',
]);

const txnRefusals: readonly Case[] = raw("kv/txn", [
  '{"compare":{}}',
  '{"compare":[null]}',
  '{"compare":null}',
  '{"compare":["x"]}',
  '{"compare":[{"key":"YQ==","version":1,"lease":1}]}',
  '{"compare":[{"key":"YQ==","version":null,"lease":1}]}',
  '{"success":[{"request_put":5}]}',
  '{"success":[{"request_put":{"key":"YQ==","value":7}}]}',
  '{"success":[{"request_put":{"key":"YQ=="},"request_range":{"key":"YQ=="}}]}',
]);

const leases: readonly Case[] = [
  post("lease/grant", { TTL: "600", ID: "77" }),
  post("lease/grant", { TTL: "600", ID: "7587869134578126337" }),
  post("lease/grant", '{"TTL":600,"ID":7587869134578126339}'),
  post("lease/grant", { TTL: "600", ID: "77" }),
  post("lease/grant", { TTL: "99999999999", ID: "78" }),
  post("kv/put", { key: key("leased"), value: key("1"), lease: "77" }),
  post("lease/timetolive", { ID: "78" }),
  post("lease/leases", {}),
  post("kv/lease/leases", {}),
  post("lease/keepalive", { ID: "77" }),
  post("lease/keepalive", '{"ID":"77"}{"ID":7587869134578126339}\n{"ID":"5"}'),
  post("lease/keepalive", '{"ID":"77"} nonsense'),
  post("lease/keepalive", ""),
  post("lease/revoke", { ID: "77" }),
  post("kv/lease/revoke", { ID: "77" }),
  post("kv/range", { key: key("leased") }),
];

const watches: readonly Case[] = [
  post("kv/put", { key: key("w/1"), value: key("one") }),
  post("kv/put", { key: key("w/2"), value: key("two") }),
  post("kv/deleterange", { key: key("w/1") }),
  // One event each: how many come in one message is for chance to say.
  post("watch", { create_request: { key: key("w/2"), start_revision: "4" } }, { lines: 2 }),
  post(
    "watch",
    { createRequest: { key: key("w/2"), rangeEnd: key("w/3"), startRevision: 4, prev_kv: true } },
    { lines: 2 },
  ),
  post(
    "watch",
    { create_request: { key: key("w/1"), start_revision: 4, filters: ["NOPUT", "NOPE"] } },
    { lines: 2 },
  ),
  post("watch", { create_request: { key: key("w/1"), start_revision: "1" } }, { lines: 2 }),
  post(
    "watch",
    '{"create_request":{"key":"YQ==","watch_id":7}}{"cancel_request":{"watch_id":7}} {"create_request":{"key":"YQ==","watch_id":8}}',
    { lines: 3 },
  ),
  post(
    "watch",
    '{"create_request":{"key":"YQ==","watch_id":7}}{"create_request":{"key":"YQ==","watch_id":7}}',
    {
      lines: 2,
    },
  ),
  post("watch", '{"create_request":{"key":"YQ=="}}{"progress_request":{}}', { lines: 2, anyOrder: true }),
];

const routes: readonly Case[] = [
  post("kv/nothing", {}),
  post("", {}),
  post("kv/range/", { key: key("a") }),
  post("kv/range", "", { method: "GET" }),
  post("kv/range", {}, { method: "PUT" }),
  post("kv/nothing", "", { method: "GET" }),
  { path: "/v3beta/kv/range", body: JSON.stringify({ key: key("a") }) },
  { path: "/v3alpha/kv/range", body: "{}" },
  { path: "/v2/keys/a", body: "", method: "GET" },
  post("kv/range", { key: key("a") }, { headers: { "Grpc-Timeout": "5x" } }),
  post("kv/range", { key: key("a") }, { headers: { "Grpc-Timeout": "1n" } }),
  post("kv/range", { key: key("a") }, { headers: { "Grpc-Timeout": "10S" } }),
  post("kv/range", { key: key("a") }, { headers: { Authorization: "nonsense" } }),
  post("kv/put", { key: key("big"), value: "A".repeat(2 ** 21) }),
  post("kv/put", { key: key("big"), value: "A".repeat(3 * 2 ** 20) }),
];

const members: readonly Case[] = [
  post("cluster/member/list", {}),
  post("cluster/member/list", { linearizable: true }),
  post("cluster/member/remove", { ID: "5" }),
  post("cluster/member/promote", { ID: "5" }),
  post("cluster/member/update", { ID: "5", peerURLs: ["http://127.0.0.1:1"] }),
  post("cluster/member/add", { peerURLs: ["nonsense"] }),
  post("maintenance/alarm", {}),
  post("maintenance/alarm", { action: "ACTIVATE", alarm: "NONE" }),
  post("maintenance/defragment", {}),
  post("maintenance/transfer-leadership", { targetID: "5" }),
];

const auth: readonly Case[] = [
  post("auth/status", {}),
  post("auth/authenticate", { name: "root", password: "x" }),
  post("auth/enable", {}),
  post("auth/role/add", { name: "r<&>" }),
  post("auth/role/add", { name: "r<&>" }),
  post("auth/role/add", { name: "" }),
  post("auth/role/grant", {
    name: "r<&>",
    perm: { permType: "READWRITE", key: key("p/"), range_end: key("p0") },
  }),
  post("auth/role/grant", { name: "r<&>", perm: { permType: "READ", key: key("q") } }),
  post("auth/role/get", { role: "r<&>" }),
  post("auth/role/list", {}),
  post("auth/role/revoke", { role: "r<&>", key: key("q") }),
  post("auth/role/revoke", { role: "r<&>", key: key("q") }),
  post("auth/user/add", { name: "alice", password: "secret" }),
  post("auth/user/add", { name: "alice", password: "secret" }),
  post("auth/user/add", { name: "nopass", options: { no_password: true } }),
  post("auth/user/grant", { user: "alice", role: "r<&>" }),
  post("auth/user/grant", { user: "alice", role: "nobody" }),
  post("auth/user/get", { name: "alice" }),
  post("auth/user/list", {}),
  post("auth/user/changepw", { name: "alice", password: "other" }),
  post("auth/user/revoke", { name: "alice", role: "r<&>" }),
  post("auth/user/delete", { name: "alice" }),
  post("auth/user/delete", { name: "alice" }),
  post("auth/role/delete", { role: "r<&>" }),
];

const locks: readonly Case[] = [
  post("lease/grant", { TTL: "600", ID: "500" }),
  post("lock/lock", { name: key("lock"), lease: "500" }),
  post("lock/unlock", { key: key("lock/1f4") }),
  post("election/leader", { name: key("nobody") }),
  post("election/campaign", { name: key("boss"), lease: "500", value: key("me") }),
  post("election/leader", { name: key("boss") }),
  post("election/observe", { name: key("boss") }, { lines: 1 }),
  post("election/resign", { leader: { name: key("boss"), key: key("boss/1f4"), lease: "500" } }),
];

/** Those that need users, roles, locks and elections are apart. */
export const cases: readonly Case[] = [
  ...keyValues,
  ...refusals,
  ...txnRefusals,
  ...leases,
  ...watches,
  ...routes,
  ...members,
];
export const laterCases: readonly Case[] = [...auth, ...locks];
