/** What curl, a load balancer and Prometheus see: health, version, metrics and the JSON gateway, over HTTP/1.1. */
import assert from "node:assert/strict";
import { httpGet, httpPost, postJson } from "../support/http.ts";
import type { Report } from "../support/report.ts";
import type { ServerProcess } from "../support/server-process.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

interface Answer {
  readonly header: {
    readonly cluster_id: string;
    readonly member_id: string;
    readonly revision: string;
    readonly raft_term: string;
  };
}

interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly create_revision: string;
  readonly mod_revision: string;
  readonly version: string;
}

interface Lease {
  readonly ID: string;
  readonly TTL: string;
  readonly grantedTTL: string;
  readonly keys: string[];
}

export async function httpChecks(server: ServerProcess, report: Report): Promise<void> {
  await endpointChecks(server, report);
  await kvChecks(server, report);
  await otherChecks(server, report);
  await refusalChecks(server, report);
}

async function endpointChecks({ clientPort }: ServerProcess, report: Report): Promise<void> {
  const body = async (path: string): Promise<string> => {
    const answer = await httpGet(clientPort, path);
    assert.equal(answer.status, 200, `${path}: ${answer.body}`);
    return answer.body;
  };
  await report.check("/health", async () => {
    for (const query of ["", "?serializable=true", "?exclude=NOSPACE"]) {
      assert.deepEqual(JSON.parse(await body(`/health${query}`)), { health: "true", reason: "" });
    }
  });
  await report.check("/livez and /readyz", async () => {
    assert.equal(await body("/livez"), "ok\n");
    assert.equal(await body("/livez?verbose"), "[+]serializable_read ok\nok\n");
    assert.equal(await body("/readyz"), "ok\n");
    const ready = (await body("/readyz?verbose")).trim().split("\n");
    const checks = ["data_corruption", "linearizable_read", "non_learner", "serializable_read"];
    assert.equal(ready.pop(), "ok");
    assert.deepEqual(
      ready.toSorted(),
      checks.map((check) => `[+]${check} ok`),
    );
  });
  await report.check("/version", async () => {
    const wanted = { etcdserver: "3.7.3", etcdcluster: "3.7.0", storage: "3.7.0" };
    assert.deepEqual(JSON.parse(await body("/version")), wanted);
  });
  await report.check("/metrics", async () => {
    const answer = await httpGet(clientPort, "/metrics");
    assert.match(answer.headers, /^content-type: text\/plain; version=0\.0\.4/im);
    const samples = answer.body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    for (const sample of samples) assert.match(sample, /^[a-zA-Z_:][\w:]*(\{.*\})? \S+$/);
    const names = new Set(samples.map((sample) => sample.split(/[ {]/)[0]));
    for (const name of [
      "etcd_server_has_leader",
      "etcd_server_is_leader",
      "etcd_server_proposals_committed_total",
      "etcd_server_version",
      "etcd_mvcc_put_total",
      "etcd_debugging_mvcc_current_revision",
      "etcd_disk_wal_fsync_duration_seconds_bucket",
      "process_resident_memory_bytes",
    ]) {
      assert.ok(names.has(name), `no ${name}`);
    }
    assert.ok(samples.includes("etcd_server_has_leader 1"));
  });
  await report.check("a path that is not there", async () => {
    assert.equal((await httpGet(clientPort, "/nothing")).status, 404);
  });
}

async function kvChecks({ clientPort }: ServerProcess, report: Report): Promise<void> {
  const post = <T = Answer>(path: string, body: unknown) => postJson<T>(clientPort, `/v3/kv/${path}`, body);

  await report.check("gateway: put and range", async () => {
    const key = base64("http/a");
    const first = await post("put", { key, value: base64("one") });
    for (const field of Object.values(first.header)) assert.match(field, /^[1-9]\d*$/);
    const second = await post<Answer & { prev_kv: KeyValue }>("put", {
      key,
      value: base64("two"),
      prev_kv: true,
    });
    assert.equal(second.prev_kv.value, base64("one"));
    const found = await post<Answer & { kvs: KeyValue[]; count: string }>("range", { key });
    assert.deepEqual(found.kvs, [
      {
        key,
        create_revision: first.header.revision,
        mod_revision: second.header.revision,
        version: "2",
        value: base64("two"),
      },
    ]);
    assert.equal(found.count, "1");
  });
  await report.check("gateway: camel case, numbers and strings, absent fields", async () => {
    const key = base64("http/b");
    await post("put", { key, value: base64("one") });
    const found = await post<{ kvs?: KeyValue[]; count: string }>("range", {
      key,
      countOnly: true,
      limit: 5,
    });
    assert.deepEqual([found.count, found.kvs], ["1", undefined]);
    const none = await post<object>("range", { key: base64("http/none"), limit: "5" });
    assert.deepEqual(Object.keys(none), ["header"]);
  });
  await report.check("gateway: a prefix, sorted", async () => {
    for (const name of ["b", "a", "c"])
      await post("put", { key: base64(`http/p/${name}`), value: base64(name) });
    const body = {
      key: base64("http/p/"),
      range_end: base64("http/p0"),
      sort_order: "DESCEND",
      sort_target: "CREATE",
    };
    const found = await post<{ kvs: KeyValue[] }>("range", { ...body, limit: "2" });
    assert.deepEqual(
      found.kvs.map((kv) => kv.value),
      ["c", "a"].map(base64),
    );
  });
  await report.check("gateway: deleterange", async () => {
    const key = base64("http/d");
    await post("put", { key, value: base64("one") });
    const gone = await post<{ deleted: string; prev_kvs: KeyValue[] }>("deleterange", { key, prev_kv: true });
    assert.deepEqual([gone.deleted, gone.prev_kvs[0]?.value], ["1", base64("one")]);
  });
  await report.check("gateway: txn and compaction", async () => {
    const key = base64("http/t");
    await post("put", { key, value: base64("one") });
    const txn = {
      compare: [{ target: "VALUE", key, result: "EQUAL", value: base64("one") }],
      success: [{ requestPut: { key, value: base64("two") } }, { request_range: { key } }],
      failure: [{ request_delete_range: { key } }],
    };
    const yes = await post<
      Answer & { succeeded: boolean; responses: { response_range: { kvs: KeyValue[] } }[] }
    >(...(["txn", txn] as const));
    assert.equal(yes.succeeded, true);
    assert.equal(yes.responses[1]?.response_range.kvs[0]?.value, base64("two"));
    const no = await post<{ succeeded?: boolean }>("txn", txn);
    assert.equal(no.succeeded, undefined);
    await post("compaction", { revision: yes.header.revision });
  });
}

async function otherChecks({ clientPort }: ServerProcess, report: Report): Promise<void> {
  const post = <T>(path: string, body: unknown = {}) => postJson<T>(clientPort, `/v3/${path}`, body);

  await report.check("gateway: lease", async () => {
    const id = "7587000000000000007"; // more than a double can hold
    const granted = await post<Lease>("lease/grant", { TTL: "100", ID: id });
    assert.deepEqual([granted.ID, granted.TTL], [id, "100"]);
    await post("kv/put", { key: base64("http/l"), value: base64("1"), lease: id });
    const left = await post<Lease>("lease/timetolive", { ID: id, keys: true });
    assert.deepEqual([left.ID, left.grantedTTL, left.keys], [id, "100", [base64("http/l")]]);
    const { leases } = await post<{ leases: { ID: string }[] }>("lease/leases");
    assert.ok(leases.some((lease) => lease.ID === id));
    await post("lease/revoke", { ID: id });
    const gone = await post<{ count?: string }>("kv/range", { key: base64("http/l") });
    assert.equal(gone.count, undefined);
  });
  await report.check("gateway: lease keep-alive, one message of a stream", async () => {
    const { ID } = await post<Lease>("lease/grant", { TTL: "100" });
    const kept = await post<{ result: Lease }>("lease/keepalive", { ID });
    assert.deepEqual([kept.result.ID, kept.result.TTL], [ID, "100"]);
  });
  await report.check("gateway: maintenance and cluster", async () => {
    const status = await post<Answer & { version: string; leader: string }>("maintenance/status");
    assert.deepEqual([status.version, status.leader], ["3.7.3", status.header.member_id]);
    assert.ok((await post<{ hash: number }>("maintenance/hash")).hash > 0);
    const hash = await post<Answer & { hash: number; hash_revision: string }>("maintenance/hashkv");
    assert.equal(hash.hash_revision, hash.header.revision);
    assert.deepEqual(Object.keys(await post<object>("maintenance/alarm")), ["header"]);
    const { members } = await post<{ members: { ID: string; name: string }[] }>("cluster/member/list");
    assert.deepEqual(
      members.map((member) => [member.ID, member.name]),
      [[status.header.member_id, "suite"]],
    );
  });
}

async function refusalChecks({ clientPort }: ServerProcess, report: Report): Promise<void> {
  const refused = async (
    path: string,
    body: string,
    status: number,
    code: number,
    message: string | RegExp,
  ) => {
    const answer = await httpPost(clientPort, path, body);
    const error = JSON.parse(answer.body) as { code: number; message: string };
    assert.deepEqual([answer.status, error.code], [status, code], answer.body);
    if (typeof message === "string") assert.equal(error.message, message);
    else assert.match(error.message, message);
  };
  await report.check("gateway: errors", async () => {
    await refused("/v3/kv/put", "{}", 400, 3, "etcdserver: key is not provided");
    await refused("/v3/kv/put", '{"key":', 400, 3, /./);
    await refused("/v3/kv/put", '{"key":"not base64!"}', 400, 3, /./);
    const future = JSON.stringify({ key: base64("a"), revision: "1000000000" });
    await refused(
      "/v3/kv/range",
      future,
      400,
      11,
      "etcdserver: mvcc: required revision is a future revision",
    );
    await refused("/v3/lease/revoke", '{"ID":"7"}', 404, 5, "etcdserver: requested lease not found");
    await refused("/v3/nothing/here", "{}", 404, 5, "Not Found");
  });
  await report.check("gateway: GET is refused", async () => {
    const answer = await httpGet(clientPort, "/v3/kv/put");
    assert.equal(answer.status, 501, answer.body);
    assert.equal((JSON.parse(answer.body) as { code: number }).code, 12);
  });
}
