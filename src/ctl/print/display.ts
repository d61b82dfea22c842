/** Prints results in one of etcdctl's formats. Only the printer that is asked for is loaded. */
import { Exit, ExitCode } from "../exit.ts";
import type { CtlIo } from "../io.ts";
import type { Format, Printer, Results, Style } from "./results.ts";

const printers: Readonly<Record<Format, () => Promise<Printer>>> = {
  simple: async () => (await import("./simple.ts")).simplePrinter,
  fields: async () => (await import("./fields.ts")).fieldsPrinter,
  json: async () => (await import("./json.ts")).jsonPrinter,
  protobuf: async () => (await import("./protobuf.ts")).protobufPrinter,
  table: async () => (await import("./table.ts")).tablePrinter,
};

export interface DisplayStyle extends Style {
  readonly format: Format;
}

/** Rejects if the format does not know this kind of result. */
export async function display<K extends keyof Results>(
  io: CtlIo,
  style: DisplayStyle,
  kind: K,
  result: Results[K],
): Promise<void> {
  const print = (await printers[style.format]())[kind];
  if (print === undefined) {
    throw new Exit(ExitCode.badFeature, `${style.format} not supported as output format`);
  }
  const output = print(result, style);
  if (typeof output === "string") io.out(output);
  else io.out(Buffer.concat(output.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece))));
}
