/** etcdutl's commands: those that work on files, without a server. Each is loaded when it is asked for. */
import { type Command, type CommandOutput, runCommand } from "../lib/command-line/command.ts";
import { checkShell } from "../lib/command-line/completion-script.ts";
import type { Flag } from "../lib/command-line/flags.ts";
import { ExitCode } from "./exit-codes.ts";
import { restoreFlags } from "./snapshot-restore-flags.ts";

const globalFlags: readonly Flag[] = [
  {
    name: "timeout",
    kind: "duration",
    default: 10_000,
    usage: "time to wait to obtain a file lock on db file, 0 to block indefinitely",
  },
  {
    name: "write-out",
    short: "w",
    kind: "string",
    default: "simple",
    usage: "set the output format (fields, json, protobuf, simple, table)",
  },
];

const text = (name: string, usage: string): Flag => ({ name, kind: "string", default: "", usage });

const snapshot: Command = {
  use: "snapshot <subcommand>",
  short: "Manages etcd node snapshots",
  commands: [
    {
      use: "restore <filename> --data-dir {output dir} [options]",
      short: "Restores an etcd member snapshot to an etcd directory",
      flags: restoreFlags,
      run: async (call) => (await import("./snapshot-restore.ts")).snapshotRestore(call),
    },
    {
      use: "status <filename>",
      short: "Gets backend snapshot status of a given file",
      run: async (call) => (await import("./snapshot-status.ts")).snapshotStatus(call),
    },
  ],
};

export const utlCommands: Command = {
  use: "etcdutl",
  short: "An administrative command line tool for etcd3.",
  persistentFlags: globalFlags,
  commands: [
    {
      use: "check --data-dir {data dir}",
      short: "Verifies a data directory of this program",
      flags: [
        {
          ...text("data-dir", "Required. Verifies a data directory that no server uses."),
          isRequired: true,
        },
        text("wal-dir", "Path to the log, if it is not in the data directory"),
      ],
      run: async (call) => (await import("./check.ts")).check(call),
    },
    {
      use: "completion [bash|zsh|fish|powershell]",
      short: "Generate completion script",
      checkArgs: checkShell,
      run: async (call) => (await import("./completion.ts")).completion(call),
    },
    {
      use: "defrag",
      short: "Defragments the storage of the etcd",
      flags: [
        {
          ...text("data-dir", "Required. Defragments a data directory not in use by etcd."),
          isRequired: true,
        },
      ],
      run: async (call) => (await import("./defrag.ts")).defrag(call),
    },
    {
      use: "export --to-etcd {output dir} --data-dir {data dir}",
      short: "Makes a data directory of etcd from one of this program",
      flags: [
        text("to-etcd", "Path to the data directory that is made"),
        text("data-dir", "Path to the data directory of this program"),
        text("wal-dir", "Path to the log, if it is not in the data directory"),
      ],
      run: async (call) => (await import("./move.ts")).exportCommand(call),
    },
    {
      use: "hashkv <filename> [flags]",
      short: "Prints the KV history hash of a given file",
      flags: [
        {
          name: "rev",
          kind: "int",
          default: 0n,
          usage: "maximum revision to hash (default: latest revision)",
        },
      ],
      checkArgs: (args) => (args.length === 1 ? undefined : `accepts 1 arg(s), received ${args.length}`),
      run: async (call) => (await import("./hashkv.ts")).hashKv(call),
    },
    { use: "help", short: "Help about any command" },
    {
      use: "import --from-etcd {data dir of etcd} --data-dir {output dir}",
      short: "Makes a data directory of this program from one of etcd 3.5 or newer",
      flags: [
        text("from-etcd", "Path to the data directory of etcd, which is only read"),
        text("from-wal-dir", "Path to etcd's WAL, if it is not in its data directory"),
        text("data-dir", "Path to the data directory that is made"),
        text("wal-dir", "Path to the log that is made (in --data-dir if none given)"),
      ],
      run: async (call) => (await import("./move.ts")).importCommand(call),
    },
    {
      use: "migrate",
      short: "Migrates schema of etcd data dir files to make them compatible with different etcd version",
      flags: [
        { ...text("data-dir", "Path to the etcd data dir"), isRequired: true },
        {
          ...text(
            "target-version",
            'Target etcd version to migrate contents of data dir. Minimal value 3.5. Format "X.Y" for example 3.6.',
          ),
          isRequired: true,
        },
        {
          name: "force",
          kind: "bool",
          default: false,
          usage: "Ignore migration failure and forcefully override storage version. Not recommended.",
        },
      ],
      run: async (call) => (await import("./migrate.ts")).migrate(call),
    },
    snapshot,
    {
      use: "version",
      short: "Prints the version of etcdutl",
      run: async (call) => (await import("./version.ts")).version(call),
    },
  ],
};

/** Gives the status to end with. */
export async function runUtl(words: readonly string[], output: CommandOutput): Promise<number> {
  if (words[0] === "__complete") {
    const { complete } = await import("../lib/command-line/complete.ts");
    output.out(complete(utlCommands, words.slice(1)));
    return ExitCode.success;
  }
  return runCommand(utlCommands, words, output);
}
