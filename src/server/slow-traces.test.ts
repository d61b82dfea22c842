import assert from "node:assert/strict";
import { it } from "node:test";
import { raftField } from "../codec/raft-internal.ts";
import { createLogger } from "../lib/logger.ts";
import { Proposal } from "./proposal.ts";
import { SlowTraces } from "./slow-traces.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function make() {
  const lines: Record<string, unknown>[] = [];
  let wallMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678) + 0.25;
  const clock = { wallMs: () => wallMs };
  const logger = createLogger({
    sink: { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
    wallMs: clock.wallMs,
  });
  const pass = (ms: number) => {
    wallMs += ms;
  };
  return { traces: new SlowTraces({ logger, clock, revision: () => 7 }), lines, pass };
}

const put = (key: string) => ({
  field: raftField.put,
  request: { key: bytes(key) },
  bytes: bytes("123456789"),
});

it("says as etcd does where the time went", () => {
  const { traces, lines } = make();
  traces.proposal(new Proposal(put("k"), 1, 1000, () => {}), 1250.5);
  traces.compaction(3, { startMs: 0, appliedMs: 10, endMs: 200 });
  const [line, compaction] = lines;
  assert.deepEqual(line, {
    level: "info",
    ts: "2026-01-02T03:04:05.678250Z",
    caller: "server/slow-traces.ts",
    msg: "trace",
    trace_id: 1,
    operation: "put",
    detail: "{key:k; req_size:9; response_revision:7; }",
    duration: "250.5ms",
    start: "2026-01-02T03:04:05.427750Z",
    end: "2026-01-02T03:04:05.678250Z",
    steps: ["'process raft request'  (duration: 250.5ms)"],
    step_count: 1,
  });
  assert.equal(compaction?.["detail"], "{revision:3; response_revision:7; }");
  assert.deepEqual(compaction?.["steps"], ["'physically apply compaction'  (duration: 190ms)"]);
});

it("tells of reads how long they waited for the quorum", () => {
  const { traces, lines } = make();
  const request = { key: bytes("a"), rangeEnd: bytes("b"), serializable: false };
  traces.range(request as Parameters<typeof traces.range>[0], { startMs: 0, readMs: 150, endMs: 160 }, 4);
  assert.equal(lines[0]?.["operation"], "range");
  assert.equal(lines[0]?.["detail"], "{range_begin:a; range_end:b; response_count:4; response_revision:7; }");
  assert.deepEqual(lines[0]?.["steps"], [
    "'agreement among raft nodes before linearized reading'  (duration: 150ms)",
  ]);
});

it("thins the lines out when everything is slow", () => {
  const { traces, lines, pass } = make();
  const tell = (count: number) => {
    for (let at = 0; at < count; at++) traces.proposal(new Proposal(put("k"), at, 0, () => {}), 200);
  };
  tell(1000);
  assert.equal(lines.length, 100 + 9);
  pass(1000);
  tell(50);
  assert.equal(lines.length, 100 + 9 + 50);
});

it("has nothing to say of what etcd does not trace", () => {
  const { traces, lines } = make();
  traces.proposal(new Proposal({ field: raftField.leaseGrant, request: {} }, 1, 0, () => {}), 500);
  traces.compaction(3, { startMs: 0, appliedMs: 90, endMs: 90 });
  assert.deepEqual(lines, []);
});
