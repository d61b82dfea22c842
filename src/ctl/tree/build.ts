/** What the files beside this one build the tree of commands with. */
import type { Command } from "../../lib/command-line/command.ts";
import type { Flag } from "../../lib/command-line/flags.ts";
import { CtlCall } from "../call.ts";
import type { CtlIo } from "../io.ts";

/** Gives the status to end with; nothing is 0. */
export type Handler = (call: CtlCall) => Promise<number | undefined>;

/** How a command runs: its handler is loaded when it does. */
export type Runner = (load: () => Promise<Handler>) => NonNullable<Command["run"]>;

export function runnerFor(io: CtlIo): Runner {
  return (load) => async (call) => (await (await load())(new CtlCall(call, io))) ?? 0;
}

export const bool = (name: string, usage: string, value = false): Flag => ({
  name,
  kind: "bool",
  default: value,
  usage,
});
export const int = (name: string, usage: string, value = 0n): Flag => ({
  name,
  kind: "int",
  default: value,
  usage,
});
export const text = (name: string, usage: string, value = "", choices?: readonly string[]): Flag => ({
  name,
  kind: "string",
  default: value,
  usage,
  ...(choices === undefined ? {} : { choices }),
});
