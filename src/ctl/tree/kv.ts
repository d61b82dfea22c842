/** Commands on keys and leases. */
import type { Command } from "../../lib/command-line/command.ts";
import { bool, type Runner } from "./build.ts";
import {
  atTimeFlag,
  delFlags,
  delShort,
  delUse,
  getFlags,
  getShort,
  getUse,
  putFlags,
  putShort,
  putUse,
  watchFlags,
} from "./kv-flags.ts";

const putLong = `
Puts the given key into the store.

When <value> begins with '-', <value> is interpreted as a flag.
Insert '--' for workaround:

$ put <key> -- <value>
$ put -- <key> <value>

If <value> isn't given as a command line argument and '--ignore-value' is not specified,
this command tries to read the value from standard input.

If <lease> isn't given as a command line argument and '--ignore-lease' is not specified,
this command tries to read the value from standard input.

For example,
$ cat file | put <key>
will store the content of the file to <key>.
`;

const txnLong = `Txn reads multiple etcd requests from standard input and applies them as a single atomic transaction.

A transaction consists of three components:
1) a list of conditions,
2) a list of requests to apply if all the conditions are true,
3) a list of requests to apply if any condition is false.

Example interactive stdin usage:

---
etcdctl txn -i
# compares:
mod("key1") > "0"

# success requests (get, put, delete):
put key1 "overwrote-key1"

# failure requests (get, put, delete):
put key1 "created-key1"
put key2 "some extra key"
---

Refer to https://github.com/etcd-io/etcd/blob/main/etcdctl/README.md#txn-options.`;

const group = "Key-value commands";

export function kvCommands(run: Runner): readonly Command[] {
  return [
    {
      use: "compaction [options] <revision>",
      short: "Compacts the event history in etcd",
      group,
      flags: [bool("physical", "'true' to wait for compaction to physically remove all old revisions")],
      run: run(async () => (await import("../commands/compaction.ts")).compaction),
    },
    {
      use: delUse,
      short: delShort,
      group,
      flags: delFlags,
      run: run(async () => (await import("../commands/del.ts")).del),
    },
    {
      use: getUse,
      short: getShort,
      group,
      flags: [...getFlags, atTimeFlag],
      run: run(async () => (await import("../commands/get.ts")).get),
    },
    lease(run),
    {
      use: putUse,
      short: putShort,
      long: putLong,
      group,
      flags: putFlags,
      run: run(async () => (await import("../commands/put.ts")).put),
    },
    {
      use: "txn [options]",
      short: "Txn processes all the requests in one transaction",
      long: txnLong,
      group,
      flags: [{ ...bool("interactive", "Input transaction in interactive mode"), short: "i" }],
      run: run(async () => (await import("../commands/txn.ts")).txn),
    },
    {
      use: "watch [options] [key or prefix] [range_end] [--] [exec-command arg1 arg2 ...]",
      short: "Watches events stream on keys or prefixes",
      group,
      flags: watchFlags,
      run: run(async () => (await import("../commands/watch.ts")).watch),
    },
  ];
}

function lease(run: Runner): Command {
  const load = () => import("../commands/lease.ts");
  return {
    use: "lease <subcommand>",
    short: "Lease related commands. Use `etcdctl lease --help` to see subcommands",
    long: "Lease related commands",
    group,
    commands: [
      { use: "grant <ttl>", short: "Creates leases", run: run(async () => (await load()).grant) },
      {
        use: "keep-alive [options] <leaseID>",
        short: "Keeps leases alive (renew)",
        flags: [
          bool("once", "Resets the keep-alive time to its original value and cobrautl.Exits immediately"),
        ],
        run: run(async () => (await load()).keepAlive),
      },
      { use: "list", short: "List all active leases", run: run(async () => (await load()).list) },
      { use: "revoke <leaseID>", short: "Revokes leases", run: run(async () => (await load()).revoke) },
      {
        use: "timetolive <leaseID> [options]",
        short: "Get lease information",
        flags: [bool("keys", "Get keys attached to this lease")],
        run: run(async () => (await load()).timeToLive),
      },
    ],
  };
}
