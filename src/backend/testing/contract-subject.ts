/** What the suites of the contract share. */
import assert from "node:assert/strict";
import type { Revision } from "../../lib/ids.ts";
import type { Backend, BinaryKey, KeySpan, Version } from "../backend.ts";
import { HistoryMaker } from "./history-maker.ts";
import { NaiveModel } from "./naive-model.ts";

export interface ContractSubject {
  readonly name: string;
  /** A new, empty store. */
  open(): Promise<Backend>;
  /** Closes a store and opens the same data again; undefined if nothing survives a close. */
  readonly reopen?: (backend: Backend) => Promise<Backend>;
  /** Looks over what a store left behind when it was closed; throws if it finds something wrong. */
  readonly inspect?: (closed: Backend) => Promise<void>;
}

export const everything: KeySpan = { from: "", to: undefined };
export const rev = (revision: number) => revision as Revision;
export const allBytes = Number.POSITIVE_INFINITY;

/** Buffers and Uint8Arrays are the same to us. */
export function plain<T extends { readonly value: Uint8Array }>(row: T | undefined): T | undefined {
  return row && { ...row, value: new Uint8Array(row.value) };
}

export function sameRows(actual: readonly Version[], expected: readonly Version[]): void {
  assert.deepEqual(actual.map(plain), expected);
}

/** Writes what `maker` has to the backend and to the model. */
export async function write(backend: Backend, maker: HistoryMaker, model?: NaiveModel): Promise<void> {
  const generation = maker.generation();
  model?.write(generation);
  await backend.write(generation);
}

/** A store for one test. */
export async function withStore(
  subject: ContractSubject,
  test: (backend: Backend) => Promise<void>,
): Promise<void> {
  const backend = await subject.open();
  try {
    await test(backend);
  } finally {
    await backend.close();
  }
  await subject.inspect?.(backend);
}

/** Adds up the parts of a count. */
export function countAll(backend: Backend, span: KeySpan, at: number, limit: number): number {
  let total = 0;
  let calls = 0;
  for (let from: BinaryKey | undefined = span.from; from !== undefined; ) {
    const part = backend.count({ from, to: span.to }, rev(at), limit);
    assert.ok(part.count <= limit);
    total += part.count;
    from = part.next;
    assert.ok(++calls < 10_000, "a count that does not end");
  }
  return total;
}

/** 300 keys of which some are deleted, some come back, some are overwritten, over about 1000 revisions. */
export async function fill(backend: Backend): Promise<{ maker: HistoryMaker; model: NaiveModel }> {
  const maker = new HistoryMaker();
  const model = new NaiveModel();
  const key = (i: number) => `key ${String(i % 300).padStart(3, "0")}`;
  for (let i = 0; i < 900; i++) {
    const n = (i * 7919) % 1000;
    if (n % 4 === 3) maker.delete(key(n));
    else
      maker.transaction(
        { put: key(n), value: `v${i}` },
        { put: key(n + 150), value: `w${i}`, lease: BigInt(n % 3) },
      );
    if (i % 200 === 199) await write(backend, maker, model);
  }
  await write(backend, maker, model);
  return { maker, model };
}

export const spans: readonly KeySpan[] = [
  everything,
  { from: "key 100", to: undefined },
  { from: "key 050", to: "key 200" },
  { from: "key 2", to: "key 2\xff" },
  { from: "key 123", to: "key 123\0" },
  { from: "l", to: "z" },
  { from: "key 200", to: "key 100" },
];
