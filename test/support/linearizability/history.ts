/** What clients did to single keys, when, and what they were told: for the check of linearizability. */

/** The state of a key as a client sees it. */
export interface SeenKey {
  readonly value: string;
  readonly version: number;
}

export type RegisterOp =
  | { readonly kind: "put"; readonly value: string }
  | { readonly kind: "delete" }
  | { readonly kind: "get" }
  /** Puts `value` if the key has the value `expected` (undefined: if it does not exist). */
  | { readonly kind: "cas"; readonly expected: string | undefined; readonly value: string };

export type RegisterResult =
  | { readonly kind: "put" }
  | { readonly kind: "delete"; readonly deleted: boolean }
  | { readonly kind: "get"; readonly seen: SeenKey | undefined }
  | { readonly kind: "cas"; readonly succeeded: boolean };

export interface RegisterCall {
  readonly client: number;
  readonly op: RegisterOp;
  readonly startMs: number;
  /** Infinity while nobody knows whether it was carried out. */
  endMs: number;
  /** Undefined: not known. */
  result: RegisterResult | undefined;
}

export class History {
  readonly #calls = new Map<string, RegisterCall[]>();

  begin(key: string, client: number, op: RegisterOp, nowMs: number): RegisterCall {
    const call: RegisterCall = {
      client,
      op,
      startMs: nowMs,
      endMs: Number.POSITIVE_INFINITY,
      result: undefined,
    };
    const calls = this.#calls.get(key);
    if (calls) calls.push(call);
    else this.#calls.set(key, [call]);
    return call;
  }

  /** It certainly had no effect, and told nothing. */
  forget(key: string, call: RegisterCall): void {
    const calls = this.#calls.get(key)!;
    calls.splice(calls.indexOf(call), 1);
  }

  countOf(key: string): number {
    return this.#calls.get(key)?.length ?? 0;
  }

  get keys(): Iterable<string> {
    return this.#calls.keys();
  }

  of(key: string): readonly RegisterCall[] {
    return this.#calls.get(key) ?? [];
  }
}
