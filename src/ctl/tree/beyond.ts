/** Commands that etcdctl does not have. */
import type { Command } from "../../lib/command-line/command.ts";
import { bool, int, type Runner, text } from "./build.ts";

const group = "Beyond etcdctl";

export function beyondCommands(run: Runner): readonly Command[] {
  return [
    {
      use: "context [name]",
      short: "Lists the contexts of the configuration file, or makes one the current",
      long: "A context is a set of flags under a name, in the YAML file that ETCDCTL_CONFIG names\n(by default ~/.config/etclite/ctl.yaml):\n\n  current-context: home\n  contexts:\n    home: { endpoints: [127.0.0.1:2379] }\n    work: { endpoints: [https://etcd.example:2379], cacert: /etc/etcd/ca.crt, user: me }\n\nFlags and ETCDCTL_* variables go before it; --context takes another for one command.",
      group,
      run: run(async () => (await import("../commands/context.ts")).context),
    },
    {
      use: "diff [options] <revision> [revision]",
      short: "Shows what changed between two revisions (the second is the newest by default)",
      group,
      flags: [text("prefix", "only keys that begin so")],
      run: run(async () => (await import("../commands/diff.ts")).diff),
    },
    {
      use: "edit <key>",
      short: "Edits a value in $EDITOR, and puts it unless somebody else changed it meanwhile",
      group,
      run: run(async () => (await import("../commands/edit.ts")).edit),
    },
    {
      use: "history [options] <key>",
      short: "Shows the versions of a key that are not compacted, oldest first",
      group,
      flags: [int("limit", "at most so many, the newest (0 for all)")],
      run: run(async () => (await import("../commands/history.ts")).history),
    },
    {
      use: "ls [options] [prefix]",
      short: "Lists one level of the tree that the keys are",
      group,
      flags: [
        text("separator", "what parts a key into levels", "/"),
        bool("recursive", "all levels below, indented"),
      ],
      run: run(async () => (await import("../commands/ls.ts")).ls),
    },
    {
      use: "top",
      short: "Shows the members and what they do, again and again",
      group,
      flags: [
        { name: "interval", kind: "duration", default: 2000, usage: "time between two looks" },
        int("count", "looks before it ends (0 for until it is interrupted)"),
      ],
      run: run(async () => (await import("../commands/top.ts")).top),
    },
  ];
}
