import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../../../src/lib/prng.ts";
import type { RegisterCall, RegisterOp, RegisterResult, SeenKey } from "./history.ts";
import { checkLinearizable } from "./linearizability.ts";

const never = Number.POSITIVE_INFINITY;

function call(
  startMs: number,
  endMs: number,
  op: RegisterOp,
  result: RegisterResult | undefined,
): RegisterCall {
  return { client: 1, op, startMs, endMs, result };
}

const put = (startMs: number, endMs: number, value: string) =>
  call(startMs, endMs, { kind: "put", value }, endMs === never ? undefined : { kind: "put" });
const get = (startMs: number, endMs: number, seen: SeenKey | undefined) =>
  call(startMs, endMs, { kind: "get" }, { kind: "get", seen });
const remove = (startMs: number, endMs: number, deleted: boolean) =>
  call(startMs, endMs, { kind: "delete" }, { kind: "delete", deleted });
const exchange = (
  startMs: number,
  endMs: number,
  expected: string | undefined,
  value: string,
  succeeded: boolean,
) => call(startMs, endMs, { kind: "cas", expected, value }, { kind: "cas", succeeded });

const verdict = (...calls: RegisterCall[]) => checkLinearizable(calls).kind;

describe("calls to one key", () => {
  it("are linearizable one after the other", () => {
    const calls = [
      get(0, 1, undefined),
      put(2, 3, "a"),
      get(4, 5, { value: "a", version: 1 }),
      exchange(6, 7, "a", "b", true),
      exchange(8, 9, "a", "c", false),
      get(10, 11, { value: "b", version: 2 }),
      remove(12, 13, true),
      remove(14, 15, false),
      get(16, 17, undefined),
    ];
    assert.equal(verdict(...calls), "linearizable");
  });

  it("are not when a read is stale, or sees what was never written, or a write is lost or done twice", () => {
    assert.equal(verdict(put(0, 1, "a"), get(2, 3, undefined)), "impossible");
    assert.equal(
      verdict(put(0, 1, "a"), put(2, 3, "b"), get(4, 5, { value: "a", version: 1 })),
      "impossible",
    );
    assert.equal(verdict(get(0, 1, { value: "x", version: 1 })), "impossible");
    assert.equal(verdict(put(0, 1, "a"), get(2, 3, { value: "a", version: 2 })), "impossible");
    assert.equal(verdict(put(0, 1, "a"), remove(2, 3, false)), "impossible");
    assert.equal(
      verdict(exchange(0, 5, undefined, "a", true), exchange(1, 6, undefined, "b", true)),
      "impossible",
    );
  });

  it("may happen in any order while they overlap", () => {
    const calls = [put(0, 10, "a"), put(1, 9, "b"), get(2, 8, { value: "a", version: 1 })];
    assert.equal(verdict(...calls, get(11, 12, { value: "b", version: 2 })), "linearizable");
    assert.equal(verdict(...calls, get(11, 12, { value: "a", version: 2 })), "impossible");
  });

  it("that nobody heard the end of may happen late, or never", () => {
    const lost = put(0, never, "a");
    assert.equal(verdict(lost, get(5, 6, undefined)), "linearizable");
    assert.equal(verdict(lost, get(5, 6, undefined), get(7, 8, { value: "a", version: 1 })), "linearizable");
    assert.equal(verdict(lost, get(5, 6, { value: "a", version: 1 }), get(7, 8, undefined)), "impossible");
  });

  it("are judged as by trying all orders", () => {
    for (let seed = 1; seed <= 400; seed++) {
      const calls = randomCalls(new Prng(seed));
      const wanted = canBeOrdered(calls) ? "linearizable" : "impossible";
      assert.equal(checkLinearizable(calls).kind, wanted, `seed ${seed}`);
    }
  });
});

/** A few calls, often answered as one order of them would have it, and then sometimes not quite. */
function randomCalls(random: Prng): RegisterCall[] {
  const calls: RegisterCall[] = [];
  let state: SeenKey | undefined;
  for (let i = 0; i < 7; i++) {
    const at = i * 10 + random.below(10);
    const startMs = at - random.below(25);
    const endMs = at + random.below(25);
    const dice = random.below(4);
    if (dice === 0) calls.push(get(startMs, endMs, state));
    else if (dice === 1) {
      state = { value: `v${i}`, version: (state?.version ?? 0) + 1 };
      calls.push(put(startMs, random.chance(0.2) ? never : endMs, state.value));
    } else if (dice === 2) {
      calls.push(remove(startMs, endMs, state !== undefined));
      state = undefined;
    } else {
      const expected = random.chance(0.7) ? state?.value : "other";
      const succeeded = expected === state?.value;
      calls.push(exchange(startMs, endMs, expected, `v${i}`, succeeded));
      if (succeeded) state = { value: `v${i}`, version: (state?.version ?? 0) + 1 };
    }
  }
  if (random.chance(0.5)) {
    const at = random.below(calls.length);
    calls[at] = get(at * 10, at * 10 + 5, random.chance(0.5) ? undefined : { value: "v1", version: 1 });
  }
  return calls;
}

/** Tries all orders. */
function canBeOrdered(calls: readonly RegisterCall[]): boolean {
  const go = (left: readonly RegisterCall[], state: SeenKey | undefined): boolean => {
    if (left.every(({ result }) => result === undefined)) return true;
    const firstEnd = Math.min(...left.map(({ endMs }) => endMs));
    return left.some((one) => {
      if (one.startMs > firstEnd) return false;
      const after = apply(state, one);
      return (
        after !== "impossible" &&
        go(
          left.filter((other) => other !== one),
          after,
        )
      );
    });
  };
  return go(calls, undefined);
}

function apply(state: SeenKey | undefined, { op, result }: RegisterCall): SeenKey | undefined | "impossible" {
  const written = (value: string) => ({ value, version: (state?.version ?? 0) + 1 });
  if (op.kind === "put") return written(op.value);
  if (op.kind === "delete") {
    const agrees = result?.kind !== "delete" || result.deleted === (state !== undefined);
    return agrees ? undefined : "impossible";
  }
  if (op.kind === "get") {
    const agrees = result?.kind !== "get" || JSON.stringify(result.seen) === JSON.stringify(state);
    return agrees ? state : "impossible";
  }
  const holds = state?.value === op.expected;
  if (result?.kind === "cas" && result.succeeded !== holds) return "impossible";
  return holds ? written(op.value) : state;
}
