/** `txn`: conditions and requests from standard input, a paragraph each for if, then and else. */
import type { Compare, RequestOp } from "../../client/messages/kv.ts";
import { txn as method } from "../../client/methods/kv.ts";
import type { Init } from "../../client/wire/message.ts";
import { type Command, runCommand } from "../../lib/command-line/command.ts";
import { goQuote } from "../../lib/go-quote.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, Exit, ExitCode, orExit } from "../exit.ts";
import { splitLine, takeQuoted } from "../go-unquote.ts";
import type { CtlIo } from "../io.ts";
import { delRequest, getRequest, putRequest, type Words } from "../operations.ts";
import * as tree from "../tree/kv-flags.ts";
import { bytesOf, parseInteger } from "../words.ts";

export async function txn(call: CtlCall): Promise<undefined> {
  const { io, flags } = call;
  if (call.args.length > 0) badArguments("txn command does not accept argument");
  const client = await call.client();
  const ask = (text: string): void => {
    if (flags.bool("interactive")) io.out(`${text}\n`);
  };
  ask("compares:");
  const compare = (await paragraph(io)).map(compareFrom);
  ask("success requests (get, put, del):");
  const success = await requests(io);
  ask("failure requests (get, put, del):");
  const failure = await requests(io);
  await call.display("txn", await orExit(client.unary(method, { compare, success, failure })));
}

const trimmed = (text: string): string => text.replace(/^[\s\u0085]+|[\s\u0085]+$/g, "");

/** The lines up to an empty one. Input has to go on until then. */
async function paragraph(io: CtlIo): Promise<string[]> {
  const lines: string[] = [];
  for (;;) {
    const line = await io.readLine();
    if (line === undefined || !line.isWhole) throw new Exit(ExitCode.invalidInput, "EOF");
    const text = trimmed(line.text);
    if (text === "") return lines;
    lines.push(text);
  }
}

async function requests(io: CtlIo): Promise<Init<RequestOp>[]> {
  const all: Init<RequestOp>[] = [];
  for (const line of await paragraph(io)) all.push(await requestFrom(io, line));
  return all;
}

const invalid = (message: string): never => {
  throw new Exit(ExitCode.invalidInput, message);
};

/** A line of get, put or del, with the flags that they take as commands. */
async function requestFrom(io: CtlIo, line: string): Promise<Init<RequestOp>> {
  const words = splitLine(line);
  if (words.length < 2) return invalid(`invalid txn compare request: ${line}`);
  let request: Init<RequestOp> | undefined;
  const make =
    (from: (words: Words) => Promise<Init<RequestOp>>): NonNullable<Command["run"]> =>
    async (call) => {
      request = await from(call);
      return 0;
    };
  const commands: readonly Command[] = [
    {
      use: tree.putUse,
      short: tree.putShort,
      flags: tree.putFlags,
      run: make(async (call) => ({ request_put: await putRequest(call, io) })),
    },
    {
      use: tree.getUse,
      short: tree.getShort,
      flags: tree.getFlags,
      run: make(async (call) => ({ request_range: getRequest(call) })),
    },
    {
      use: tree.delUse,
      short: tree.delShort,
      flags: tree.delFlags,
      run: make(async (call) => ({ request_delete_range: await delRequest(call, io) })),
    },
  ];
  await runCommand({ use: "", short: "", commands }, words, { out() {}, err() {} }, { isBrief: true });
  return request ?? invalid(`invalid txn request: ${line}`);
}

const results: Readonly<Record<string, number>> = { "=": 0, ">": 1, "<": 2, "!=": 3 };

/** `target("key") op "value"`. */
function compareFrom(line: string): Init<Compare> {
  const bracket = line.indexOf("(");
  if (bracket < 0) return invalid(`malformed comparison: ${line}`);
  const target = line.slice(0, bracket);
  const { key, op, value } = parts(line, target, line.slice(bracket + 1));
  const result = Object.hasOwn(results, op) ? results[op] : undefined;
  if (result === undefined) return invalid(`malformed comparison: ${line} (unknown operator ${op})`);
  const base = { key: bytesOf(key), result };
  const number = (): bigint => {
    try {
      return parseInteger(value, 10);
    } catch {
      return invalid(`invalid txn compare request: ${line}`);
    }
  };
  switch (target) {
    case "ver":
    case "version":
      return { ...base, target: 0, version: number() };
    case "c":
    case "create":
      return { ...base, target: 1, create_revision: number() };
    case "m":
    case "mod":
      return { ...base, target: 2, mod_revision: number() };
    case "val":
    case "value":
      return { ...base, target: 3, value: bytesOf(value) };
    case "lease":
      return { ...base, target: 4, lease: leaseOf(line, value) };
    default:
      return invalid(`malformed comparison: ${line} (unknown target ${target})`);
  }
}

/** In hexadecimal, as leases are written everywhere else. */
function leaseOf(line: string, value: string): bigint {
  try {
    return parseInteger(value, 16);
  } catch {
    return invalid(`invalid txn compare request: ${line}`);
  }
}

function parts(line: string, target: string, text: string): { key: string; op: string; value: string } {
  const key = takeQuoted(text);
  const op = key === undefined ? null : /^\)\s*(\S+)/.exec(key.rest);
  const value = op === null ? undefined : takeQuoted(key!.rest.slice(op[0].length));
  if (key !== undefined && op !== null && value !== undefined) {
    return { key: key.value, op: op[1]!, value: value.value };
  }
  const got = `${target}(${goQuote(key?.value ?? "")}) ${op?.[1] ?? ""} ${goQuote("")}`;
  return invalid(`malformed comparison: ${line}; got ${got}`);
}
