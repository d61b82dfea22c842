/** Random requests of key-value pairs: few keys, so that they meet. */
import type { Random } from "../support/random.ts";
import type { Case } from "./cases.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

export function randomCases(random: Random, count: number): Case[] {
  return Array.from({ length: count }, () => randomCase(random));
}

function randomCase(random: Random): Case {
  const kinds = [put, put, range, range, deleteRange, txn] as const;
  const [path, body] = random.pick(kinds)(random);
  return { path: `/v3/kv/${path}`, body: JSON.stringify(body) };
}

type Request = readonly [path: string, body: Record<string, unknown>];
const keys = ["r/a", "r/b", "r/c", "r/d", "r/é", "r/\u0000"];
const someKey = (random: Random): string => base64(random.pick(keys));
const maybe = (random: Random, fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(() => random.chance(0.3)));

function put(random: Random): Request {
  const value = Buffer.from(random.bytes(random.below(12))).toString("base64");
  const body = {
    key: someKey(random),
    value,
    ...maybe(random, { prev_kv: true, ignoreLease: false, lease: 0 }),
  };
  return ["put", body];
}

function range(random: Random): Request {
  const more = maybe(random, {
    range_end: base64("r0"),
    limit: String(random.below(4)),
    sortOrder: random.pick(["NONE", "ASCEND", "DESCEND"]),
    sort_target: random.pick(["KEY", "VERSION", "CREATE", "MOD", "VALUE"]),
    keys_only: true,
    count_only: random.chance(0.5),
    minModRevision: random.below(300),
    max_create_revision: String(random.below(300)),
  });
  return ["range", { key: someKey(random), ...more }];
}

function deleteRange(random: Random): Request {
  return ["deleterange", { key: someKey(random), ...maybe(random, { prevKv: true }) }];
}

function txn(random: Random): Request {
  const target = random.pick([
    { target: "VALUE", value: base64("x") },
    { target: "VERSION", version: String(random.below(3)) },
    { target: "MOD", modRevision: random.below(200) },
    { target: "CREATE", create_revision: random.below(200) },
    { target: "LEASE", lease: "0" },
  ]);
  const result = random.pick(["EQUAL", "GREATER", "LESS", "NOT_EQUAL"]);
  const operation = () => {
    const [path, body] = random.pick([put, range, deleteRange])(random);
    return {
      [{ put: "request_put", range: "requestRange", deleterange: "request_delete_range" }[path]!]: body,
    };
  };
  const operations = () => Array.from({ length: random.below(3) }, operation);
  return [
    "txn",
    { compare: [{ key: someKey(random), ...target, result }], success: operations(), failure: operations() },
  ];
}
