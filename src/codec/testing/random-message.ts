/** Random messages of any generated type, and a way to run a test on many of them from a printed seed. */
import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { Prng } from "../../lib/prng.ts";

type Field = DescMessage["fields"][number];
/** protobuf's numbers of scalar types, as in descriptor.proto. */
const scalar = { int64: 3, uint64: 4, bool: 8, string: 9, bytes: 12, uint32: 13 };

const edges = [1n, 2n, 127n, 128n, 16383n, 16384n, (1n << 21n) - 1n, 1n << 28n, (1n << 31n) - 1n, 1n << 31n];
const safeEdges = [...edges, (1n << 32n) - 1n, 1n << 35n, 1n << 42n, 1n << 49n, (1n << 53n) - 1n];
const wideEdges = [...safeEdges, (1n << 53n) + 1n, (1n << 56n) - 1n, 1n << 56n, (1n << 63n) - 1n, 1n << 62n];
const negativeEdges = [-1n, -128n, -(1n << 31n), -(1n << 53n), -(1n << 63n), -(1n << 35n) - 5n];

export interface RandomOptions {
  /** Numbers over 2^53 and below zero. */
  readonly wide: boolean;
  /** How deep messages go into messages. */
  readonly depth: number;
}

export function randomBytes(random: Prng, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = random.below(256);
  return bytes;
}

export function randomMessage<Desc extends DescMessage>(
  random: Prng,
  schema: Desc,
  options: RandomOptions,
): MessageShape<Desc> {
  const message = create(schema);
  fill(random, reflect(schema, message), options);
  return message;
}

function fill(random: Prng, message: ReflectMessage, options: RandomOptions): void {
  for (const oneof of message.desc.oneofs) {
    if (random.chance(0.9)) setField(random, message, random.pick(oneof.fields), options);
  }
  for (const field of message.desc.fields) {
    if (field.oneof === undefined && random.chance(0.7)) setField(random, message, field, options);
  }
}

function setField(random: Prng, message: ReflectMessage, field: Field, options: RandomOptions): void {
  if (field.fieldKind === "scalar") {
    message.set(field, randomScalar(random, field.scalar, options) as never);
  } else if (field.fieldKind === "enum") {
    message.set(field, random.pick(field.enum.values).number);
  } else if (field.fieldKind === "message") {
    if (options.depth > 0) message.set(field, inner(random, field.message, options));
  } else if (field.fieldKind === "list") {
    const list = message.get(field);
    for (let count = random.below(4); count > 0; count--) {
      if (field.listKind === "scalar") list.add(randomScalar(random, field.scalar, options) as never);
      else if (field.listKind === "enum") list.add(random.pick(field.enum.values).number as never);
      else if (options.depth > 0) list.add(inner(random, field.message, options) as never);
    }
  } else {
    throw new Error("no message of etcd has a map");
  }
}

function inner(random: Prng, schema: DescMessage, options: RandomOptions): ReflectMessage {
  const message = reflect(schema, create(schema));
  fill(random, message, { ...options, depth: options.depth - 1 });
  return message;
}

function randomScalar(random: Prng, type: number, options: RandomOptions): unknown {
  switch (type) {
    case scalar.int64:
      return options.wide && random.chance(0.3) ? random.pick(negativeEdges) : randomNumber(random, options);
    case scalar.uint64:
      return randomNumber(random, options);
    case scalar.uint32:
      return random.below(0xffff_ffff);
    case scalar.bool:
      return random.chance(0.5);
    case scalar.string:
      return random.pick(["", "root", "käse", "数据", "😀!", "x".repeat(200)]);
    case scalar.bytes:
      return randomBytes(random, random.pick([0, 0, 1, 5, 32, 33, 127, 128, 300]));
    default:
      throw new Error(`no scalar of type ${type} in etcd's messages`);
  }
}

function randomNumber(random: Prng, options: RandomOptions): bigint {
  if (random.chance(0.2)) return 0n;
  return random.pick(options.wide ? wideEdges : safeEdges);
}

/** Runs `check` with `count` seeds. What it throws names the seed. */
export function forSeeds(count: number, check: (random: Prng) => void): void {
  for (let seed = 1; seed <= count; seed++) {
    try {
      check(new Prng(seed));
    } catch (cause) {
      throw new Error(`with seed ${seed}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }
}
