/** `ls`: the keys as a tree, one level of it. A branch costs one request, however much is below it. */
import type { Client } from "../../client/client.ts";
import type { RangeRequest, RangeResponse } from "../../client/messages/kv.ts";
import { range } from "../../client/methods/kv.ts";
import { prefixEnd } from "../../client/prefix-end.ts";
import type { Init } from "../../client/wire/message.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, orExit } from "../exit.ts";
import { bytesOf } from "../words.ts";

const pageKeys = 200n;

export async function ls(call: CtlCall): Promise<undefined> {
  const { args, flags, io } = call;
  const [prefix = "", more] = args;
  if (more !== undefined) badArguments("ls takes one prefix");
  const separator = bytesOf(flags.string("separator"));
  if (separator.length === 0) badArguments("the separator is empty");
  const client = await call.client();
  const show = async (under: Uint8Array, depth: number): Promise<void> => {
    for await (const { key, isBranch } of level(call, client, under, separator)) {
      // Below a branch, only what is new.
      const name = depth === 0 ? key : key.subarray(under.length);
      io.out(Buffer.concat([Buffer.from("  ".repeat(depth)), name, Buffer.from("\n")]));
      if (isBranch && flags.bool("recursive")) await show(key, depth + 1);
    }
  };
  await orExit(show(bytesOf(prefix), 0));
}

interface Entry {
  readonly key: Uint8Array;
  /** `key` ends with the separator, and there are keys below it. */
  readonly isBranch: boolean;
}

async function* level(
  call: CtlCall,
  client: Client,
  prefix: Uint8Array,
  separator: Uint8Array,
): AsyncGenerator<Entry, void, undefined> {
  const range_end = prefix.length === 0 ? Uint8Array.of(0) : prefixEnd(prefix);
  let from: Uint8Array | undefined = prefix.length === 0 ? Uint8Array.of(0) : prefix;
  while (from !== undefined) {
    const request: Init<RangeRequest> = { key: from, range_end, limit: pageKeys, keys_only: true };
    const { kvs, more }: RangeResponse = await client.unary(range, request, call.timeout);
    const last = kvs.at(-1)?.key;
    from = more && last !== undefined ? Buffer.concat([last, Uint8Array.of(0)]) : undefined;
    for (const { key } of kvs) {
      const end = Buffer.from(key).indexOf(separator, prefix.length);
      if (end < 0) {
        yield { key, isBranch: false };
        continue;
      }
      const branch = key.subarray(0, end + separator.length);
      yield { key: branch, isBranch: true };
      from = prefixEnd(branch);
      if (Buffer.compare(from, range_end) === 0 || isZero(from)) return;
      break;
    }
  }
}

const isZero = (bytes: Uint8Array): boolean => bytes.length === 1 && bytes[0] === 0;
