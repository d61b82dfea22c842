/** Flags and usage of commands whose lines `txn` and an interactive `watch` read, too. */
import type { Flag } from "../../lib/command-line/flags.ts";
import { bool, int, text } from "./build.ts";

export const getFlags: readonly Flag[] = [
  text("consistency", "Linearizable(l) or Serializable(s)", "l", ["l", "s"]),
  text("order", "Order of results; ASCEND or DESCEND (ASCEND by default)", "", ["ASCEND", "DESCEND"]),
  text("sort-by", "Sort target; CREATE, KEY, MODIFY, VALUE, or VERSION", "", [
    "CREATE",
    "KEY",
    "MODIFY",
    "VALUE",
    "VERSION",
  ]),
  int("limit", "Maximum number of results"),
  bool("prefix", "Get keys with matching prefix"),
  bool("from-key", "Get keys that are greater than or equal to the given key using byte compare"),
  int("rev", "Specify the kv revision"),
  bool("keys-only", "Get only the keys"),
  bool("count-only", "Get only the count"),
  bool("print-value-only", 'Only write values when using the "simple" output format'),
  int("min-create-rev", "Minimum create revision"),
  int("max-create-rev", "Maximum create revision"),
  int("min-mod-rev", "Minimum modification revision"),
  int("max-mod-rev", "Maximum modification revision"),
  bool("stream", "Use the RangeStream RPC"),
];

/** Ours, and for the command alone: a transaction reads what is there now. */
export const atTimeFlag: Flag = text(
  "at-time",
  "Read as it was at a time (as 2026-01-31T12:00:00Z), or so long ago (as 10m); needs etclite",
);

export const putFlags: readonly Flag[] = [
  text("lease", "lease ID (in hexadecimal) to attach to the key", "0"),
  bool("prev-kv", "return the previous key-value pair before modification"),
  bool("ignore-value", "updates the key using its current value"),
  bool("ignore-lease", "updates the key using its current lease"),
];

export const delFlags: readonly Flag[] = [
  bool("prefix", "delete keys with matching prefix"),
  bool("prev-kv", "return deleted key-value pairs"),
  bool("from-key", "delete keys that are greater than or equal to the given key using byte compare"),
  bool("range", "delete range of keys"),
];

export const watchFlags: readonly Flag[] = [
  { ...bool("interactive", "Interactive mode"), short: "i" },
  bool("prefix", "Watch on a prefix if prefix is set"),
  int("rev", "Revision to start watching"),
  bool("prev-kv", "get the previous key-value pair before the event happens"),
  bool("progress-notify", "get periodic watch progress notification from server"),
];

export const getUse = "get [options] <key> [range_end]";
export const getShort = "Gets the key or a range of keys";
export const putUse = "put [options] <key> <value> (<value> can also be given from stdin)";
export const putShort = "Puts the given key into the store";
export const delUse = "del [options] <key> [range_end]";
export const delShort = "Removes the specified key or range of keys [key, range_end)";
