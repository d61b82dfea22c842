/**
 * Whether calls to one key can have happened one after the other, each at a moment between its beginning and its end, and
 * every client have been told what it was told (Herlihy and Wing). The search is Wing and Gong's, with Lowe's memory of
 * the places where it has been: a set of calls that have happened, and the state that they led to.
 */
import type { RegisterCall, RegisterOp, RegisterResult, SeenKey } from "./history.ts";

/** Places after which the search gives up: a history that needs more should have been shorter. */
const placesMax = 2_000_000;

export type Verdict =
  | { readonly kind: "linearizable"; readonly places: number }
  /** The longest beginning that made sense ended before these calls. */
  | { readonly kind: "impossible"; readonly stuck: readonly RegisterCall[] }
  | { readonly kind: "too long" };

type State = SeenKey | undefined;

interface Moment {
  readonly call: number;
  readonly isEnd: boolean;
  readonly atMs: number;
}

/** `calls` of one key that did not exist before. */
export function checkLinearizable(calls: readonly RegisterCall[]): Verdict {
  // A read that was never answered says nothing.
  const relevant = calls.filter(({ op, result }) => result !== undefined || op.kind !== "get");
  return new Search(relevant).run();
}

class Search {
  readonly #calls: readonly RegisterCall[];
  /** Beginnings and ends in the order of time, as a doubly linked list: what is taken out can be put back. */
  readonly #moments: Moment[];
  readonly #next: number[];
  readonly #before: number[];
  readonly #endOf: number[];
  readonly #seen = new Set<string>();
  readonly #done: Uint32Array;

  constructor(calls: readonly RegisterCall[]) {
    this.#calls = calls;
    const moments = calls.flatMap((call, i): Moment[] => [
      { call: i, isEnd: false, atMs: call.startMs },
      { call: i, isEnd: true, atMs: call.endMs },
    ]);
    // Of one moment, beginnings come first: then the calls count as concurrent.
    moments.sort((a, b) => a.atMs - b.atMs || Number(a.isEnd) - Number(b.isEnd));
    this.#moments = moments;
    // Place 0 is the head of the list.
    this.#next = Array.from({ length: moments.length + 1 }, (_, i) => i + 1);
    this.#before = Array.from({ length: moments.length + 2 }, (_, i) => i - 1);
    this.#endOf = new Array<number>(calls.length);
    for (const [at, { call, isEnd }] of moments.entries()) if (isEnd) this.#endOf[call] = at + 1;
    this.#done = new Uint32Array(Math.ceil(calls.length / 32));
  }

  run(): Verdict {
    const end = this.#moments.length + 1;
    const path: { readonly at: number; readonly state: State }[] = [];
    let state: State;
    let certain = this.#calls.filter(({ result }) => result !== undefined).length;
    let longest = 0;
    let stuck: RegisterCall[] = [];
    let at = this.#next[0]!;
    while (certain > 0) {
      const moment = at === end ? undefined : this.#moments[at - 1]!;
      if (moment !== undefined && !moment.isEnd) {
        const call = this.#calls[moment.call]!;
        const step = advance(state, call.op, call.result);
        if (step !== undefined && this.#isNew(moment.call, step.state)) {
          path.push({ at, state });
          state = step.state;
          if (call.result !== undefined) certain--;
          this.#mark(moment.call);
          this.#takeOut(at, this.#endOf[moment.call]!);
          at = this.#next[0]!;
          continue;
        }
        at = this.#next[at]!;
        if (this.#seen.size > placesMax) return { kind: "too long" };
        continue;
      }
      // Here a call has ended that could not be placed: the last choice was wrong.
      if (path.length >= longest) {
        longest = path.length;
        stuck = this.#open();
      }
      const last = path.pop();
      if (last === undefined) return { kind: "impossible", stuck };
      const { call } = this.#moments[last.at - 1]!;
      state = last.state;
      if (this.#calls[call]!.result !== undefined) certain++;
      this.#unmark(call);
      this.#putBack(last.at, this.#endOf[call]!);
      at = this.#next[last.at]!;
    }
    return { kind: "linearizable", places: this.#seen.size };
  }

  #open(): RegisterCall[] {
    const open: RegisterCall[] = [];
    for (let at = this.#next[0]!; at <= this.#moments.length && open.length < 12; at = this.#next[at]!) {
      const { call, isEnd } = this.#moments[at - 1]!;
      if (isEnd) break;
      open.push(this.#calls[call]!);
    }
    return open;
  }

  #isNew(call: number, state: State): boolean {
    this.#mark(call);
    const place = `${this.#done.join()}:${state === undefined ? "" : `${state.value}/${state.version}`}`;
    this.#unmark(call);
    if (this.#seen.has(place)) return false;
    this.#seen.add(place);
    return true;
  }

  #mark(call: number): void {
    this.#done[call >>> 5]! |= 1 << (call & 31);
  }

  #unmark(call: number): void {
    this.#done[call >>> 5]! &= ~(1 << (call & 31));
  }

  #takeOut(start: number, end: number): void {
    for (const at of [start, end]) {
      this.#next[this.#before[at]!] = this.#next[at]!;
      this.#before[this.#next[at]!] = this.#before[at]!;
    }
  }

  #putBack(start: number, end: number): void {
    for (const at of [end, start]) {
      this.#next[this.#before[at]!] = at;
      this.#before[this.#next[at]!] = at;
    }
  }
}

/** The state after a call; undefined if the call cannot have happened in `state` with that result. */
function advance(
  state: State,
  op: RegisterOp,
  result: RegisterResult | undefined,
): { readonly state: State } | undefined {
  switch (op.kind) {
    case "put":
      return { state: { value: op.value, version: (state?.version ?? 0) + 1 } };
    case "delete":
      if (result?.kind === "delete" && result.deleted !== (state !== undefined)) return undefined;
      return { state: undefined };
    case "get": {
      if (result?.kind !== "get") return { state };
      const { seen } = result;
      return seen?.value === state?.value && seen?.version === state?.version ? { state } : undefined;
    }
    case "cas": {
      const holds = state?.value === op.expected;
      if (result?.kind === "cas" && result.succeeded !== holds) return undefined;
      return { state: holds ? { value: op.value, version: (state?.version ?? 0) + 1 } : state };
    }
  }
}
