/**
 * The keys in use. A key is given up after a number of calls, and its history checked when the last of them has ended: so
 * histories stay short, and a run of any length takes the same memory.
 */
import { History, type RegisterCall, type RegisterOp } from "../support/linearizability/history.ts";
import { checkLinearizable } from "../support/linearizability/linearizability.ts";
import type { Random } from "../support/random.ts";
import { Broken } from "./revisions.ts";

const callsPerKey = 120;
/** What nobody knows the outcome of makes the check longer. */
const unknownPerKey = 6;

interface KeyInUse {
  readonly key: string;
  readonly history: History;
  open: number;
  unknown: number;
  isGivenUp: boolean;
}

export class RegisterKeys {
  readonly #keys: KeyInUse[];
  readonly #pairs = new Map<string, KeyInUse>();
  #made = 0;
  checkedKeys = 0;
  checkedCalls = 0;

  constructor(size: number) {
    this.#keys = Array.from({ length: size }, () => this.#fresh());
  }

  pick(random: Random): string {
    return random.pick(this.#keys).key;
  }

  begin(key: string, client: number, op: RegisterOp): RegisterCall {
    const inUse = this.#pairs.get(key)!;
    inUse.open++;
    return inUse.history.begin(key, client, op, performance.now());
  }

  /** The call is over: `call` says with what. One that had no effect, or was a read that nobody answered, is forgotten. */
  ended(key: string, call: RegisterCall, outcome: "answer" | "unknown" | "none"): void {
    const inUse = this.#pairs.get(key)!;
    inUse.open--;
    if (outcome === "answer") call.endMs = performance.now();
    else if (outcome === "none" || call.op.kind === "get") inUse.history.forget(key, call);
    else inUse.unknown++;
    if (inUse.unknown >= unknownPerKey || inUse.history.countOf(key) >= callsPerKey) this.#giveUp(inUse);
    if (inUse.isGivenUp && inUse.open === 0) this.#check(inUse);
  }

  /** Checks the keys that are still in use. */
  checkAll(): void {
    for (const inUse of [...this.#pairs.values()]) this.#check(inUse);
  }

  #giveUp(inUse: KeyInUse): void {
    if (inUse.isGivenUp) return;
    inUse.isGivenUp = true;
    this.#keys[this.#keys.indexOf(inUse)] = this.#fresh();
  }

  #check({ key, history }: KeyInUse): void {
    this.#pairs.delete(key);
    const calls = history.of(key);
    this.checkedKeys++;
    this.checkedCalls += calls.length;
    const verdict = checkLinearizable(calls);
    if (verdict.kind === "linearizable") return;
    const stuck = verdict.kind === "impossible" ? verdict.stuck : [];
    const lines = [...calls].sort((a, b) => a.startMs - b.startMs).map((call) => JSON.stringify(call));
    throw new Broken(
      `the calls to ${key} are ${verdict.kind === "impossible" ? "not linearizable" : "too many to check"}; stuck at\n` +
        `${stuck.map((call) => JSON.stringify(call)).join("\n")}\nof\n${lines.join("\n")}`,
    );
  }

  #fresh(): KeyInUse {
    const key = `r/${this.#made++}`;
    const inUse = { key, history: new History(), open: 0, unknown: 0, isGivenUp: false };
    this.#pairs.set(key, inUse);
    return inUse;
  }
}
