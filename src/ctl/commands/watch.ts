/** `watch`: events as they come, printed or handed to a program; with -i, watches are asked for on standard input. */
import { isProgress, type Watch, type WatchEvent, Watcher } from "../../client/watcher.ts";
import { FlagError, type FlagValues, parseWords } from "../../lib/command-line/flags.ts";
import { goQuote, goQuoteList } from "../../lib/go-quote.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, Exit, ExitCode, QuietExit } from "../exit.ts";
import { splitLine } from "../go-unquote.ts";
import { keyRange } from "../operations.ts";
import { goQuoteBytes } from "../print/go-bytes.ts";
import { eventNames } from "../print/simple.ts";
import { runChild } from "../run-child.ts";
import { watchFlags } from "../tree/kv-flags.ts";

const badCount = "bad number of arguments";

export async function watch(call: CtlCall): Promise<undefined> {
  const { io, flags, words } = call;
  const fixed = fromVariables(io.env);
  if (flags.bool("interactive")) return interactive(call, fixed);
  const rest = words.slice(words.indexOf("watch") + 1);
  const request = requestFrom(rest, call.args, fixed);
  const watcher = new Watcher(await call.client());
  await follow(call, begin(watcher, flags, request.keys), request.program);
  throw new Exit(ExitCode.interrupted, "watch is canceled by the server");
}

interface WatchWords {
  readonly keys: readonly string[];
  readonly program: readonly string[];
}

/** The key that ETCDCTL_WATCH_KEY names, and the end of its range; empty without. */
function fromVariables(env: CtlCall["io"]["env"]): readonly string[] {
  const key = env["ETCDCTL_WATCH_KEY"] ?? "";
  const end = env["ETCDCTL_WATCH_RANGE_END"] ?? "";
  if (key === "" && end !== "") {
    badArguments(`ETCDCTL_WATCH_KEY is empty but got ETCDCTL_WATCH_RANGE_END=${goQuote(end)}`);
  }
  if (key === "") return [];
  return end === "" ? [key] : [key, end];
}

/** What to watch, and the program after `--`. */
function requestFrom(
  words: readonly string[],
  args: readonly string[],
  fixed: readonly string[],
): WatchWords {
  const separator = words.indexOf("--");
  const program = separator < 0 ? [] : words.slice(separator + 1);
  if (separator >= 0 && program.length === 0) {
    badArguments(`${badCount} (found separator --, but no commands)`);
  }
  const keys = args.slice(0, args.length - program.length);
  if (keys.length > 0 && fixed.length > 0) badArguments(`${badCount} (found conflicting environment key)`);
  if (keys.length === 0 && fixed.length === 0) badArguments(badCount);
  return { keys: fixed.length > 0 ? fixed : keys, program };
}

function begin(watcher: Watcher, flags: FlagValues, keys: readonly string[]): Watch {
  const isPrefix = flags.bool("prefix");
  if (keys.length === 2 && isPrefix) badArguments("`range_end` and `--prefix` are mutually exclusive");
  const args = keys.length === 2 ? keys : keys.slice(0, 1);
  const { key, range_end } = keyRange({ flags: onlyPrefix(isPrefix), args });
  return watcher.watch({
    key,
    rangeEnd: range_end,
    startRevision: flags.int("rev"),
    prevKv: flags.bool("prev-kv"),
    progressNotify: flags.bool("progress-notify"),
  });
}

function onlyPrefix(isPrefix: boolean): FlagValues {
  return parseWords(isPrefix ? ["--prefix"] : [], [
    { name: "prefix", kind: "bool", default: false, usage: "" },
    { name: "from-key", kind: "bool", default: false, usage: "" },
  ]).values;
}

async function follow(call: CtlCall, events: Watch, program: readonly string[]): Promise<void> {
  for await (const event of events) {
    if (event.isCanceled) call.io.err(`watch was canceled (${event.error})\n`);
    if (isProgress(event)) call.io.out(`progress notify: ${event.header?.revision}\n`);
    await call.display("watch", event);
    if (program.length > 0) await runFor(call, event, program);
  }
}

/** Once for each event, one after the other. */
async function runFor(
  { io }: CtlCall,
  { header, events }: WatchEvent,
  program: readonly string[],
): Promise<void> {
  for (const { type, kv } of events) {
    const { problem } = await runChild(program, {
      ...io.env,
      ETCD_WATCH_REVISION: String(header?.revision ?? 0n),
      ETCD_WATCH_EVENT_TYPE: goQuote(eventNames[type as 0 | 1]),
      ETCD_WATCH_KEY: goQuoteBytes(kv?.key ?? new Uint8Array(0)),
      ETCD_WATCH_VALUE: goQuoteBytes(kv?.value ?? new Uint8Array(0)),
    });
    if (problem === undefined) continue;
    io.err(`command ${goQuoteList(program)} error (${problem})\n`);
    throw new QuietExit(1);
  }
}

async function interactive(call: CtlCall, fixed: readonly string[]): Promise<undefined> {
  const { io } = call;
  const client = await call.client();
  const watcher = new Watcher(client);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  for (;;) {
    const line = await Promise.race([io.readLine(), failed.promise]);
    if (line === undefined || !line.isWhole) {
      throw new Exit(ExitCode.invalidInput, "error reading watch request line: EOF");
    }
    const { text } = line;
    const words = splitLine(text);
    if (words.length === 0) io.err(`Invalid command: ${text} (watch and progress supported)\n`);
    else if (words[0] === "progress") watcher.requestProgress();
    else if (words[0] !== "watch") io.err(`Invalid command ${text} (only support watch)\n`);
    else if (words.length < 2 && fixed.length === 0) {
      io.err(`Invalid command ${text} (command type or key is not provided)\n`);
    } else {
      const request = parseLine(words.slice(1), fixed);
      try {
        follow(call, begin(watcher, request.flags, request.keys), request.program).catch(failed.reject);
      } catch (error) {
        io.err(`Invalid command ${text} (${(error as Error).message})\n`);
      }
    }
  }
}

function parseLine(words: readonly string[], fixed: readonly string[]): WatchWords & { flags: FlagValues } {
  try {
    const { values, args } = parseWords(words, watchFlags);
    return { flags: values, ...requestFrom(words, args, fixed) };
  } catch (error) {
    if (error instanceof FlagError) return badArguments(error.message);
    throw error;
  }
}
