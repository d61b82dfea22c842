/** Commands on members and their storage. */
import type { Command } from "../../lib/command-line/command.ts";
import { bool, int, type Runner, text } from "./build.ts";

const group = "Cluster maintenance commands";
const cluster = bool("cluster", "use all endpoints from the cluster member list");

/** Indented as etcdctl has it, with blanks on empty lines. */
const snapshotExample = [
  "# Save snapshot to a given file",
  "etcdctl snapshot save /backup/etcd-snapshot.db",
  "",
  "# Get snapshot from given address and save it to file",
  "etcdctl snapshot save --endpoints=127.0.0.1:3000 /backup/etcd-snapshot.db",
  "",
  "# Get snapshot from given address with certificates",
  "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/ca.crt --cert=/etc/etcd/etcd.crt --key=/etc/etcd/etcd.key snapshot save /backup/etcd-snapshot.db",
  "",
  "# Get snapshot with certain user and password",
  "etcdctl --user=root --password=password123 snapshot save /backup/etcd-snapshot.db",
  "",
  "# Get snapshot from given address with timeout",
  "etcdctl --endpoints=https://127.0.0.1:2379 --dial-timeout=20s snapshot save /backup/etcd-snapshot.db",
  "",
  "# Save snapshot with desirable time format",
  "etcdctl snapshot save /mnt/backup/etcd/backup_$(date +%Y%m%d_%H%M%S).db",
]
  .map((line) => `  ${line}`)
  .join("\n");

export function maintenanceCommands(run: Runner): readonly Command[] {
  return [
    alarm(run),
    {
      use: "defrag",
      short: "Defragments the storage of the etcd members with given endpoints",
      group,
      persistentFlags: [cluster],
      run: run(async () => (await import("../commands/defrag.ts")).defrag),
    },
    downgrade(run),
    endpoint(run),
    member(run),
    {
      use: "move-leader <transferee-member-id>",
      short: "Transfers leadership to another etcd cluster member.",
      group,
      run: run(async () => (await import("../commands/move-leader.ts")).moveLeader),
    },
    {
      use: "snapshot <subcommand>",
      short: "Manages etcd node snapshots",
      example: snapshotExample,
      group,
      commands: [
        {
          use: "save <filename>",
          short: "Stores an etcd node backend snapshot to a given file",
          example: snapshotExample,
          run: run(async () => (await import("../commands/snapshot-save.ts")).snapshotSave),
        },
      ],
    },
  ];
}

function alarm(run: Runner): Command {
  const load = () => import("../commands/alarm.ts");
  return {
    use: "alarm <subcommand>",
    short: "Alarm related commands. Use `etcdctl alarm --help` to see subcommands",
    long: "Alarm related commands",
    group,
    commands: [
      { use: "disarm", short: "Disarms all alarms", run: run(async () => (await load()).disarm) },
      { use: "list", short: "Lists all alarms", run: run(async () => (await load()).list) },
    ],
  };
}

function downgrade(run: Runner): Command {
  const load = () => import("../commands/downgrade.ts");
  return {
    use: "downgrade <TARGET_VERSION>",
    short: "Downgrade related commands. Use `etcdctl downgrade --help` to see subcommands",
    long: "Downgrade related commands",
    group,
    commands: [
      {
        use: "cancel",
        short: "Cancel the ongoing downgrade action to cluster",
        run: run(async () => (await load()).cancel),
      },
      {
        use: "enable <TARGET_VERSION>",
        short: "Start a downgrade action to cluster",
        run: run(async () => (await load()).enable),
      },
      {
        use: "validate <TARGET_VERSION>",
        short: "Validate downgrade capability before starting downgrade",
        run: run(async () => (await load()).validate),
      },
    ],
  };
}

function endpoint(run: Runner): Command {
  return {
    use: "endpoint <subcommand>",
    short: "Endpoint related commands. Use `etcdctl endpoint --help` to see subcommands",
    long: "Endpoint related commands",
    group,
    persistentFlags: [cluster],
    commands: [
      {
        use: "hashkv",
        short: "Prints the KV history hash for each endpoint in --endpoints",
        persistentFlags: [int("rev", "maximum revision to hash (default: latest revision)")],
        run: run(async () => (await import("../commands/endpoint-hashkv.ts")).endpointHashKv),
      },
      {
        use: "health",
        short: "Checks the healthiness of endpoints specified in `--endpoints` flag",
        run: run(async () => (await import("../commands/endpoint-health.ts")).endpointHealth),
      },
      {
        use: "status",
        short: "Prints out the status of endpoints specified in `--endpoints` flag",
        long: `When --write-out is set to simple, this command prints out comma-separated status lists for each endpoint.
The items in the lists are endpoint, ID, version, db size, is leader, is learner, raft term, raft index, raft applied index, errors.
`,
        run: run(async () => (await import("../commands/endpoint-status.ts")).endpointStatus),
      },
    ],
  };
}

function member(run: Runner): Command {
  const load = () => import("../commands/member.ts");
  return {
    use: "member <subcommand>",
    short: "Membership related commands. Use `etcdctl member --help` to see subcommands",
    long: "Membership related commands",
    group,
    commands: [
      {
        use: "add <memberName> [options]",
        short: "Adds a member into the cluster",
        flags: [
          text("peer-urls", "comma separated peer URLs for the new member."),
          bool("learner", "indicates if the new member is raft learner"),
        ],
        run: run(async () => (await load()).add),
      },
      {
        use: "list",
        short: "Lists all members in the cluster",
        long: `When --write-out is set to simple, this command prints out comma-separated member lists for each endpoint.
The items in the lists are ID, Status, Name, Peer Addrs, Client Addrs, Is Learner.
`,
        flags: [text("consistency", "Linearizable(l) or Serializable(s)", "l")],
        run: run(async () => (await load()).list),
      },
      {
        use: "promote <memberID>",
        short: "Promotes a non-voting member in the cluster",
        long: "Promotes a non-voting learner member to a voting one in the cluster.\n",
        run: run(async () => (await load()).promote),
      },
      {
        use: "remove <memberID>",
        short: "Removes a member from the cluster",
        run: run(async () => (await load()).remove),
      },
      {
        use: "update <memberID> [options]",
        short: "Updates a member in the cluster",
        flags: [text("peer-urls", "comma separated peer URLs for the updated member.")],
        run: run(async () => (await load()).update),
      },
    ],
  };
}
