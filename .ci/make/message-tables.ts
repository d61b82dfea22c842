/**
 * Writes src/gen/tables: the messages of the generated code as tables (src/codec/message-table.ts). The second half of
 * `npm run gen`; a test says when it was forgotten.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DescEnum, DescField, DescFile, DescMessage, DescService } from "@bufbuild/protobuf";
import { file_authpb_auth } from "../../src/gen/authpb/auth_pb.ts";
import { file_etcdserverpb_raft_internal } from "../../src/gen/etcdserverpb/raft_internal_pb.ts";
import { file_etcdserverpb_rpc } from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { file_etclitepb_explore } from "../../src/gen/etclitepb/explore_pb.ts";
import { file_grpc_health_v1_health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { file_leasepb_lease } from "../../src/gen/leasepb/lease_pb.ts";
import { file_membershippb_membership } from "../../src/gen/membershippb/membership_pb.ts";
import { file_mvccpb_kv } from "../../src/gen/mvccpb/kv_pb.ts";
import { file_v3electionpb_v3election } from "../../src/gen/v3electionpb/v3election_pb.ts";
import { file_v3lockpb_v3lock } from "../../src/gen/v3lockpb/v3lock_pb.ts";

const files: readonly DescFile[] = [
  file_authpb_auth,
  file_etcdserverpb_raft_internal,
  file_etcdserverpb_rpc,
  file_etclitepb_explore,
  file_grpc_health_v1_health,
  file_leasepb_lease,
  file_membershippb_membership,
  file_mvccpb_kv,
  file_v3electionpb_v3election,
  file_v3lockpb_v3lock,
];

/** protobuf's numbers of the scalar types that etcd's messages have. */
const scalarNames: Readonly<Record<number, string>> = {
  3: "int64",
  4: "uint64",
  8: "bool",
  9: "string",
  12: "bytes",
  13: "uint32",
};

type Named = DescMessage | DescEnum;

const folder = "src/gen/tables";
/** "etcdserverpb/rpc": the file of that name in proto/, in src/gen (with `_pb.ts`) and among the tables (with `.ts`). */
const nameOf = (file: DescFile): string => file.name;
/** `Compare_CompareResult`, as the generated code names it. */
const shapeName = (desc: Named): string =>
  desc.typeName.slice(desc.file.proto.package.length + 1).replaceAll(".", "_");
const tableName = (desc: Named): string => `${shapeName(desc)}Schema`;

/** Path and text of each file of tables. */
export function tableFiles(): Map<string, string> {
  return new Map(files.map((file) => [`${folder}/${nameOf(file)}.ts`, textOf(file)]));
}

function textOf(file: DescFile): string {
  const messages = file.messages.flatMap(withNested);
  const enums = [...file.enums, ...messages.flatMap((message) => message.nestedEnums)];
  const up = "../".repeat(nameOf(file).split("/").length);
  const types = [
    ...(messages.length > 0 ? ["MessageTable"] : []),
    ...(enums.length > 0 ? ["EnumTable"] : []),
  ];
  if (file.services.length > 0) types.push("ServiceTable");
  return [
    `// Written by .ci/make/message-tables.ts from ${nameOf(file)}.proto: \`npm run gen\`.\n`,
    `import type { ${types.toSorted().join(", ")} } from "${up}../codec/message-table.ts";`,
    `import type * as pb from "${up}${nameOf(file)}_pb.ts";`,
    ...importsOf(file, messages),
    "",
    ...messages.map((message) => `export type ${shapeName(message)} = pb.${shapeName(message)};`),
    "",
    ...enums.map(enumText),
    ...messages.map(messageText),
    ...file.services.map(serviceText),
  ].join("\n");
}

/** No table has maps. The one field that is one is Health.List's: rpc/health.ts writes it. */
const hasRow = ({ fieldKind }: DescField): boolean => fieldKind !== "map";

const withNested = (message: DescMessage): DescMessage[] => [
  message,
  ...message.nestedMessages.flatMap(withNested),
];

/** What the tables of one file name of another. */
function importsOf(file: DescFile, messages: readonly DescMessage[]): string[] {
  const used = [
    ...messages.flatMap(({ fields }) => fields.filter(hasRow).map((field) => field.message ?? field.enum)),
    ...file.services.flatMap(({ methods }) => methods.flatMap(({ input, output }) => [input, output])),
  ].filter((desc): desc is Named => desc !== undefined && desc.file !== file);
  const byFile = Map.groupBy(new Set(used), (desc) => nameOf(desc.file));
  const up = "../".repeat(nameOf(file).split("/").length - 1) || "./";
  return [...byFile].map(([name, descs]) => {
    const names = descs.map(tableName).toSorted();
    return `import { ${names.join(", ")} } from "${up}${name}.ts";`;
  });
}

function enumText(desc: DescEnum): string {
  const name = shapeName(desc);
  const numbers = desc.values.map((value) => `${value.name}: ${value.number}`).join(", ");
  // The generated code leaves out a prefix that all the names have.
  const short = desc.values.map((value) => `${value.localName}: ${value.number}`).join(", ");
  return `export const ${name}: typeof pb.${name} = { ${short} };
export type ${name} = pb.${name};
export const ${tableName(desc)}: EnumTable = { kind: "enum", numbers: { ${numbers} } };
`;
}

function messageText(desc: DescMessage): string {
  const rows = desc.fields
    .filter(hasRow)
    .toSorted((a, b) => a.number - b.number)
    .map((field) => `    ${rowText(field)},\n`)
    .join("");
  return `export const ${tableName(desc)}: MessageTable<typeof pb.${tableName(desc)}> = {
  kind: "message",
  typeName: "${desc.typeName}",
  rows: () => [${rows === "" ? "" : `\n${rows}  `}],
};
`;
}

function rowText(field: DescField): string {
  const how = field.fieldKind === "list" ? "repeated" : field.oneof?.name;
  const inner = field.message ?? field.enum;
  const scalar = field.fieldKind === "map" ? undefined : scalarNames[field.scalar ?? 0];
  if (!inner && !scalar) throw new Error(`${field.toString()}: no table has a type for it`);
  const type = inner ? tableName(inner) : `"${scalar}"`;
  return `[${field.number}, "${field.name}", ${type}${how === undefined ? "" : `, "${how}"`}]`;
}

function serviceText(desc: DescService): string {
  const rows = desc.methods.map(
    ({ name, input, output, methodKind }) =>
      `    ["${name}", ${tableName(input)}, ${tableName(output)}, "${methodKind}"],\n`,
  );
  return `export const ${desc.name}: ServiceTable = {
  typeName: "${desc.typeName}",
  rows: () => [\n${rows.join("")}  ],
};
`;
}

if (import.meta.main) {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
  for (const [path, text] of tableFiles()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
