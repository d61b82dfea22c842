import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { DescEnum, DescMessage, DescService } from "@bufbuild/protobuf";
import * as generated from "@bufbuild/protobuf";
import { tableFiles } from "../../.ci/make/message-tables.ts";
import { Prng } from "../lib/prng.ts";
import { type EnumTable, layoutOf, type MessageTable, type ServiceTable } from "./message-table.ts";
import { create, fromBinary, toBinary } from "./messages.ts";
import { DecodeError } from "./protowire-read.ts";
import { forSeeds, randomBytes, randomMessage } from "./testing/random-message.ts";

const files = [
  "authpb/auth",
  "etcdserverpb/raft_internal",
  "etcdserverpb/rpc",
  "etclitepb/explore",
  "grpc/health/v1/health",
  "leasepb/lease",
  "membershippb/membership",
  "mvccpb/kv",
  "v3electionpb/v3election",
  "v3lockpb/v3lock",
];

interface Pair<Desc, Table> {
  readonly desc: Desc;
  readonly table: Table;
}
const messages: Pair<DescMessage, MessageTable>[] = [];
const enums: Pair<DescEnum, EnumTable>[] = [];
const services: Pair<DescService, ServiceTable>[] = [];
for (const file of files) {
  const descs = (await import(`../gen/${file}_pb.ts`)) as Record<string, unknown>;
  const tables = (await import(`../gen/tables/${file}.ts`)) as Record<string, unknown>;
  for (const [name, desc] of Object.entries(descs)) {
    const { kind } = desc as { kind?: string };
    const table = tables[name];
    const withMap = name === "HealthListResponseSchema";
    if (kind === "message" && !withMap) messages.push({ desc, table } as (typeof messages)[number]);
    if (kind === "enum") enums.push({ desc, table } as (typeof enums)[number]);
    if (kind === "service") services.push({ desc, table } as (typeof services)[number]);
  }
}

describe("the tables of messages", () => {
  it("are those that the generated code makes", () => {
    for (const [path, text] of tableFiles()) {
      const written = readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
      assert.equal(written, text, `${path} is old: npm run gen`);
    }
  });

  it("say what the descriptors say", () => {
    assert.ok(messages.length > 120, `${messages.length}`);
    for (const { desc, table } of messages) {
      const wanted = desc.fields
        .toSorted((a, b) => a.number - b.number)
        .map((field) => ({
          number: field.number,
          name: field.name,
          localName: field.localName,
          isRepeated: field.fieldKind === "list",
          oneof: field.oneof && { name: field.oneof.name, localName: field.oneof.localName },
          type:
            field.message?.typeName ??
            (field.enum ? "enum" : generated.ScalarType[field.scalar!]?.toLowerCase()),
        }));
      const found = layoutOf(table).fields.map(({ scalar, enum: values, message, ...field }) => ({
        ...field,
        type: message?.typeName ?? (values ? "enum" : scalar),
      }));
      assert.deepEqual(found, wanted, desc.typeName);
      for (const field of desc.fields) assert.equal(field.jsonName, field.localName, desc.typeName);
    }
    for (const { desc, table } of enums) {
      const numbers = Object.fromEntries(desc.values.map(({ name, number }) => [name, number]));
      assert.deepEqual(table.numbers, numbers, desc.typeName);
    }
    for (const { desc, table } of services) {
      assert.equal(table.typeName, desc.typeName);
      assert.deepEqual(
        table.rows().map(([name, input, output, kind]) => [name, input.typeName, output.typeName, kind]),
        desc.methods.map((m) => [m.name, m.input.typeName, m.output.typeName, m.methodKind]),
      );
    }
  });
});

describe("messages by tables", () => {
  it("are written and read as the generated code does it", () => {
    forSeeds(8, (random) => {
      for (const { desc, table } of messages) {
        const message = randomMessage(random, desc, { wide: true, depth: 3 });
        const bytes = generated.toBinary(desc, message);
        assert.deepEqual(toBinary(table, message), bytes, desc.typeName);
        const back = generated.fromBinary(desc, bytes);
        assert.deepEqual(fromBinary(table, bytes), { ...back }, desc.typeName);
        assert.deepEqual(create(table, message), { ...back }, desc.typeName);
      }
    });
  });

  it("have the generated code's defaults", () => {
    for (const { desc, table } of messages) {
      const empty = { ...generated.create(desc) };
      assert.deepEqual(create(table), empty, desc.typeName);
      assert.deepEqual(fromBinary(table, new Uint8Array(0)), empty, desc.typeName);
      assert.equal(toBinary(table, create(table)).length, 0);
    }
  });

  it("are put together from pieces, and what is unknown is passed over", () => {
    forSeeds(5, (random) => {
      for (const { desc, table } of messages) {
        const piece = () => generated.toBinary(desc, randomMessage(random, desc, { wide: true, depth: 2 }));
        const unknown = Uint8Array.of(0xfa, 0xff, 0x7f, 3, 1, 2, 3);
        const bytes = new Uint8Array(Buffer.concat([piece(), unknown, piece()]));
        const wanted = generated.fromBinary(desc, bytes, { readUnknownFields: false });
        assert.deepEqual(fromBinary(table, bytes), { ...wanted }, desc.typeName);
      }
    });
  });

  it("are refused with a DecodeError, or read, whatever the bytes are", () => {
    const random = new Prng(7);
    let refused = 0;
    for (let round = 0; round < 20; round++) {
      for (const { desc, table } of messages) {
        try {
          toBinary(table, fromBinary(table, randomBytes(random, random.below(40))));
        } catch (error) {
          assert.ok(error instanceof DecodeError, `${desc.typeName}: ${error}`);
          refused++;
        }
      }
    }
    assert.ok(refused > 100);
  });
});
