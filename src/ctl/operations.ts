/** Requests from the flags and arguments of get, put and del; lines of `txn` have the same. */
import type { DeleteRangeRequest, PutRequest, RangeRequest } from "../client/messages/kv.ts";
import { prefixEnd } from "../client/prefix-end.ts";
import type { Init } from "../client/wire/message.ts";
import type { FlagValues } from "../lib/command-line/flags.ts";
import { badArguments, Exit, ExitCode } from "./exit.ts";
import type { CtlIo } from "./io.ts";
import { bytesOf, parseLeaseId } from "./words.ts";

/** What a request is made from. */
export interface Words {
  readonly flags: FlagValues;
  readonly args: readonly string[];
}

const zero = Uint8Array.of(0);
/** `[\0, \0)`: all keys. */
const everything = { key: zero, range_end: zero };

function oneOf(isFirst: boolean, first: string, isSecond: boolean, second: string): void {
  if (isFirst && isSecond) {
    badArguments(`\`--${first}\` and \`--${second}\` cannot be set at the same time, choose one`);
  }
}

/** A key alone, [key, end), a prefix, or all from a key on. */
export function keyRange({ flags, args }: Words): { key: Uint8Array; range_end?: Uint8Array } {
  const [word = "", end] = args;
  const isPrefix = flags.bool("prefix");
  const isFromKey = flags.bool("from-key");
  if (end !== undefined && (isPrefix || isFromKey)) {
    badArguments("too many arguments, only accept one argument when `--prefix` or `--from-key` is set");
  }
  const key = bytesOf(word);
  if (isPrefix || isFromKey) {
    if (key.length === 0) return everything;
    return { key, range_end: isPrefix ? prefixEnd(key) : zero };
  }
  return end === undefined ? { key } : { key, range_end: bytesOf(end) };
}

/** `told` is what a complaint names: etcdctl's `member list` names the default of `get`. */
export function isSerializable(consistency: string, told = consistency): boolean {
  if (consistency !== "l" && consistency !== "s") {
    throw new Exit(ExitCode.badFeature, `unknown consistency flag ${JSON.stringify(told)}`);
  }
  return consistency === "s";
}

const orders: Readonly<Record<string, number>> = { "": 0, ASCEND: 1, DESCEND: 2 };
const targets: Readonly<Record<string, number>> = {
  "": 0,
  KEY: 0,
  VERSION: 1,
  CREATE: 2,
  MODIFY: 3,
  VALUE: 4,
};

function chosen(table: Readonly<Record<string, number>>, what: string, word: string): number {
  const name = word.toUpperCase();
  if (Object.hasOwn(table, name)) return table[name]!;
  throw new Exit(ExitCode.badFeature, `bad sort ${what} ${word}`);
}

export function getRequest(words: Words): Init<RangeRequest> {
  const { flags, args } = words;
  if (args.length === 0) {
    badArguments("get command needs one argument as key and an optional argument as range_end");
  }
  oneOf(flags.bool("prefix"), "prefix", flags.bool("from-key"), "from-key");
  oneOf(flags.bool("keys-only"), "keys-only", flags.bool("count-only"), "count-only");
  const serializable = isSerializable(flags.string("consistency"));
  const range = keyRange(words);
  const sort_order = chosen(orders, "order", flags.string("order"));
  const sort_target = chosen(targets, "target", flags.string("sort-by"));
  return {
    ...range,
    serializable,
    limit: flags.int("limit"),
    revision: positive(flags.int("rev")),
    ...sorting(sort_order, sort_target),
    keys_only: flags.bool("keys-only"),
    count_only: flags.bool("count-only"),
    ...bounds(flags),
  };
}

/** A sort target without an order is sorted by, ascending; by key in ascending order is what the server does anyway. */
function sorting(order: number, target: number): { sort_order: number; sort_target: number } {
  if (target === 0 && order === 1) return { sort_order: 0, sort_target: 0 };
  return { sort_order: order, sort_target: target };
}

const positive = (value: bigint): bigint => (value > 0n ? value : 0n);

function bounds(flags: FlagValues): Init<RangeRequest> {
  const between = (what: string, name: string): { min: bigint; max: bigint } => {
    const min = flags.int(`min-${what}-rev`);
    const max = flags.int(`max-${what}-rev`);
    if (max > 0n && min > max) {
      throw new Exit(ExitCode.badFeature, `getMin${name}Rev(=${min}) > getMax${name}Rev(=${max})`);
    }
    return { min: positive(min), max: positive(max) };
  };
  const create = between("create", "Create");
  const mod = between("mod", "Mod");
  return {
    min_create_revision: create.min,
    max_create_revision: create.max,
    min_mod_revision: mod.min,
    max_mod_revision: mod.max,
  };
}

export async function putRequest({ flags, args }: Words, io: CtlIo): Promise<Init<PutRequest>> {
  const needs = "put command needs 1 argument and input from stdin or 2 arguments";
  const [key, word] = args;
  if (key === undefined) return badArguments(needs);
  const ignore_value = flags.bool("ignore-value");
  if (ignore_value && word !== undefined) {
    badArguments("put command needs only 1 argument when 'ignore-value' is set");
  }
  let value: Uint8Array | undefined;
  if (!ignore_value) {
    value = word === undefined ? await io.readAll() : bytesOf(word);
    if (word === undefined && value.length === 0) badArguments(needs);
  }
  return {
    key: bytesOf(key),
    value,
    lease: parseLeaseId(flags.string("lease"), "bad lease ID"),
    prev_kv: flags.bool("prev-kv"),
    ignore_value,
    ignore_lease: flags.bool("ignore-lease"),
  };
}

/** Gives people time to think when a range might have been a mistake. */
export async function delRequest(words: Words, io: CtlIo): Promise<Init<DeleteRangeRequest>> {
  const { flags, args } = words;
  if (args.length === 0 || args.length > 2) {
    badArguments("del command needs one argument as key and an optional argument as range_end");
  }
  oneOf(flags.bool("prefix"), "prefix", flags.bool("from-key"), "from-key");
  const range = keyRange(words);
  if (args.length === 2 && !flags.bool("range")) {
    const { warnOfRange } = await import("./warn-of-range.ts");
    await warnOfRange(io, args[0]!, args[1]!);
  }
  return { ...range, prev_kv: flags.bool("prev-kv") };
}
