/** Locks and elections, and commands that make something of the others. */
import type { Command } from "../../lib/command-line/command.ts";
import { checkShell } from "../../lib/command-line/completion-script.ts";
import type { Flag } from "../../lib/command-line/flags.ts";
import { bool, int, type Runner, text } from "./build.ts";

const concurrency = "Concurrency commands";
const group = "Utility commands";

export function concurrencyCommands(run: Runner): readonly Command[] {
  return [
    {
      use: "elect <election-name> [proposal]",
      short: "Observes and participates in leader election",
      group: concurrency,
      flags: [{ ...bool("listen", "observation mode"), short: "l" }],
      run: run(async () => (await import("../commands/elect.ts")).elect),
    },
    {
      use: "lock <lockname> [exec-command arg1 arg2 ...]",
      short: "Acquires a named lock",
      group: concurrency,
      flags: [int("ttl", "timeout for session", 10n)],
      run: run(async () => (await import("../commands/lock.ts")).lock),
    },
  ];
}

const after: readonly Flag[] = [
  bool("auto-compact", "Compact storage with last revision after test is finished."),
  bool("auto-defrag", "Defragment storage after test is finished."),
];

const mirrorFlags: readonly Flag[] = [
  text("prefix", "Key-value prefix to mirror"),
  int("rev", "Specify the kv revision to start to mirror"),
  {
    name: "max-txn-ops",
    kind: "uint",
    default: 128n,
    usage: "Maximum number of operations permitted in a transaction during syncing updates.",
  },
  text(
    "dest-prefix",
    "destination prefix to mirror a prefix to a different prefix in the destination cluster",
  ),
  bool("no-dest-prefix", "mirror key-values to the root of the destination cluster"),
  text("dest-cert", "Identify secure client using this TLS certificate file for the destination cluster"),
  text("dest-key", "Identify secure client using this TLS key file"),
  text("dest-cacert", "Verify certificates of TLS enabled secure servers using this CA bundle"),
  bool("dest-insecure-transport", "Disable transport security for client connections", true),
  text(
    "dest-user",
    "Destination username[:password] for authentication (prompt if password is not supplied)",
  ),
  text(
    "dest-password",
    "Destination password for authentication (if this option is used, --user option shouldn't include password)",
  ),
];

const completionLong = `To load completions:

Bash:

  $ source <(etcdctl completion bash)

  # To load completions for each session, execute once:
  # Linux:
  $ etcdctl completion bash > /etc/bash_completion.d/etcdctl
  # macOS:
  $ etcdctl completion bash > /usr/local/etc/bash_completion.d/etcdctl

Zsh:

  # If shell completion is not already enabled in your environment,
  # you will need to enable it.  You can execute the following once:

  $ echo "autoload -U compinit; compinit" >> ~/.zshrc

  # To load completions for each session, execute once:
  $ etcdctl completion zsh > "\${fpath[1]}/_etcdctl"

  # You will need to start a new shell for this setup to take effect.

fish:

  $ etcdctl completion fish | source

  # To load completions for each session, execute once:
  $ etcdctl completion fish > ~/.config/fish/completions/etcdctl.fish

PowerShell:

  PS> etcdctl completion powershell | Out-String | Invoke-Expression

  # To load completions for every new session, run:
  PS> etcdctl completion powershell > etcdctl.ps1
  # and source this file from your PowerShell profile.
`;

export function utilityCommands(run: Runner): readonly Command[] {
  return [
    check(run),
    {
      use: "completion [bash|zsh|fish|powershell]",
      short: "Generate completion script",
      long: completionLong,
      group,
      checkArgs: checkShell,
      run: run(async () => (await import("../commands/completion.ts")).completion),
    },
    {
      use: "help [command]",
      short: "Help about any command",
      long: "Help provides help for any command in the application.\nSimply type etcdctl help [path to command] for full details.",
      group,
      // Never run: the words behind it say whose help to show.
      run: async () => 0,
    },
    {
      use: "make-mirror [options] <destination>",
      short: "Makes a mirror at the destination etcd cluster",
      group,
      flags: mirrorFlags,
      run: run(async () => (await import("../commands/make-mirror.ts")).makeMirror),
    },
    {
      use: "options",
      short: "Show the global command-line flags",
      group,
      run: run(async () => (await import("../commands/options.ts")).options),
    },
    {
      use: "version",
      short: "Prints the version of etcdctl",
      group,
      run: run(async () => (await import("../commands/version.ts")).version),
    },
  ];
}

function check(run: Runner): Command {
  return {
    use: "check <subcommand>",
    short:
      "commands for checking properties of the etcd cluster. Use `etcdctl check --help` to see subcommands",
    long: "commands for checking properties of the etcd cluster",
    group,
    commands: [
      {
        use: "datascale [options]",
        short: "Check the memory usage of holding data for different workloads on a given server endpoint.",
        long: "If no endpoint is provided, localhost will be used. If multiple endpoints are provided, first endpoint will be used.",
        flags: [
          text(
            "load",
            "The datascale check's workload model. Accepted workloads: s(small), m(medium), l(large), xl(xLarge)",
            "s",
          ),
          text("prefix", "The prefix for writing the datascale check's keys.", "/etcdctl-check-datascale/"),
          ...after,
        ],
        run: run(async () => (await import("../commands/check-datascale.ts")).checkDatascale),
      },
      {
        use: "perf [options]",
        short: "Check the performance of the etcd cluster",
        flags: [
          text(
            "load",
            "The performance check's workload model. Accepted workloads: s(small), m(medium), l(large), xl(xLarge). Different workload models use different configurations in terms of number of clients and expected throughput.",
            "s",
            ["small", "medium", "large", "xLarge"],
          ),
          text("prefix", "The prefix for writing the performance check's keys.", "/etcdctl-check-perf/"),
          ...after,
        ],
        run: run(async () => (await import("../commands/check-perf.ts")).checkPerf),
      },
    ],
  };
}
