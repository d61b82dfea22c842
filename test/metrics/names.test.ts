/**
 * Our metrics against etcd's: `etcd-3.7.3.txt` has name, type and labels of all that etcd 3.7.3 showed under load, alone
 * and with others. Each is here with the same type and labels, or in docs/metrics.md with the reason why not.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { MemberId } from "../../src/lib/ids.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import { PeerMetrics } from "../../src/transport/peer/peer-metrics.ts";
import { httpGet, postJson } from "../support/http.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { startFromSource } from "../support/source-server.ts";
import { Family, familiesOf } from "./families.ts";

/** What the alerts and the dashboard of etcd's contrib/mixin ask for. */
const mixin = [
  "etcd_disk_backend_commit_duration_seconds_bucket",
  "etcd_disk_wal_fsync_duration_seconds_bucket",
  "etcd_mvcc_db_total_size_in_bytes",
  "etcd_mvcc_db_total_size_in_use_in_bytes",
  "etcd_network_client_grpc_received_bytes_total",
  "etcd_network_client_grpc_sent_bytes_total",
  "etcd_network_peer_received_bytes_total",
  "etcd_network_peer_round_trip_time_seconds_bucket",
  "etcd_network_peer_sent_bytes_total",
  "etcd_network_peer_sent_failures_total",
  "etcd_server_has_leader",
  "etcd_server_leader_changes_seen_total",
  "etcd_server_proposals_applied_total",
  "etcd_server_proposals_committed_total",
  "etcd_server_proposals_failed_total",
  "etcd_server_proposals_pending",
  "etcd_server_quota_backend_bytes",
  'grpc_server_handled_total{grpc_code="OK",grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"}',
  'grpc_server_handled_total{grpc_code="Unavailable",grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"}',
  'grpc_server_handling_seconds_bucket{grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"',
  'grpc_server_started_total{grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="bidi_stream"}',
  'grpc_server_handled_total{grpc_code="OK",grpc_method="LeaseKeepAlive",grpc_service="etcdserverpb.Lease",grpc_type="bidi_stream"}',
  "process_resident_memory_bytes",
];

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
/** Series that come with an event that this test does not bring about. */
const onlyAfter = new Set(["etcd_server_learner_promote_failures"]);

/** Processes start slowly on a machine that does other things. */
const slow = { timeout: 120_000 };

describe("/metrics", () => {
  let folder = "";
  let server: ServerProcess;
  let text = "";

  // A test and not a hook, because not every runtime lets a hook take long.
  it("starts", slow, async () => {
    folder = mkdtempSync(join(tmpdir(), "etclite-metrics-"));
    server = await startFromSource({ folder, flags: ["--metrics=extensive"] });
    await postJson(server.clientPort, "/v3/kv/put", { key: "YQ==", value: "Yg==" });
    await postJson(server.clientPort, "/v3/kv/range", { key: "YQ==" });
    await postJson(server.clientPort, "/v3/kv/txn", {
      success: [{ request_range: { key: "YQ==" } }, { request_range: { key: "Yg==" } }],
    });
    await postJson(server.clientPort, "/v3/lease/grant", { TTL: "10" });
    await httpGet(server.clientPort, "/readyz");
    text = (await httpGet(server.clientPort, "/metrics")).body + peerMetrics();
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A member that is alone shows none of these. */
  function peerMetrics(): string {
    const metrics = new Metrics();
    new PeerMetrics(metrics, 1n as MemberId).of(2n as MemberId);
    return metrics.expose();
  }

  it("has what etcd has, or a reason why not", () => {
    const ours = familiesOf(text);
    const absent = absentNames();
    const wrong: string[] = [];
    for (const line of read("etcd-3.7.3.txt").trim().split("\n")) {
      const theirs = Family.parse(line);
      const family = ours.get(theirs.name);
      const isExcused = absent.some((name) => matches(name, theirs.name));
      if (family && isExcused) wrong.push(`${theirs.name} is here, and docs/metrics.md says that it is not`);
      else if (!family && !isExcused && !onlyAfter.has(theirs.name)) wrong.push(`${line}: is not here`);
      else if (family && String(family) !== String(theirs)) wrong.push(`${line}: here it is ${family}`);
    }
    assert.deepEqual(wrong, []);
  });

  it("has what etcd's dashboard and alerts ask for", () => {
    assert.deepEqual(
      mixin.filter((start) => !text.split("\n").some((line) => line.startsWith(start))),
      [],
    );
  });

  it("has every series that docs/monitoring names", () => {
    const families = familiesOf(text);
    for (const file of ["dashboard.json", "alerts.yml"]) {
      const asked = [
        ...read(`../../docs/monitoring/${file}`).matchAll(/\b(?:etcd|etclite|process|grpc_server)_\w+/g),
      ];
      const names = new Set(asked.map(([name]) => name));
      assert.ok(names.size > 5, file);
      const missing = [...names].filter((name) => !families.has(name.replace(/_bucket$/, "")));
      assert.deepEqual(missing, [], file);
    }
  });

  it("counts what was done", () => {
    const countOf = (series: string) => {
      const line = text.split("\n").find((each) => each.startsWith(`${series} `));
      return Number(line?.split(" ").at(-1));
    };
    assert.equal(countOf("etcd_mvcc_put_total"), 1);
    assert.equal(countOf("etcd_mvcc_range_total"), 3);
    assert.equal(countOf("etcd_mvcc_txn_total"), 1);
    assert.equal(countOf("etcd_debugging_mvcc_total_put_size_in_bytes"), 2);
    assert.equal(countOf('etcd_debugging_lease_ttl_total_bucket{le="16"}'), 1);
    assert.equal(countOf('etcd_debugging_lease_ttl_total_bucket{le="8"}'), 0);
    assert.equal(
      countOf('etcd_server_apply_duration_seconds_count{op="Put",success="true",version="v3"}'),
      1,
    );
    assert.equal(countOf('etcd_server_request_duration_seconds_count{success="true",type="Range"}'), 1);
    assert.equal(countOf('etcd_server_request_duration_seconds_count{success="true",type="ReadonlyTxn"}'), 1);
    assert.equal(countOf('etcd_cluster_version{cluster_version="3.7"}'), 1);
  });
});

/** The names in the table of docs/metrics.md. */
function absentNames(): string[] {
  const docs = read("../../docs/metrics.md");
  const table = docs.slice(docs.indexOf("<!-- absent: begin -->"), docs.indexOf("<!-- absent: end -->"));
  return [...table.matchAll(/^\| `([^`]+)` \| \S/gm)].map(([, name]) => name as string);
}

const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
