/** The flags of `etcdutl snapshot restore`, apart from the command so that its usage can be shown without loading it. */
import type { Flag } from "../lib/command-line/flags.ts";

const text = (name: string, value: string, usage: string): Flag => ({
  name,
  kind: "string",
  default: value,
  usage,
});

export const restoreFlags: readonly Flag[] = [
  text("data-dir", "", "Path to the output data directory"),
  text("wal-dir", "", "Path to the WAL directory (use --data-dir if none given)"),
  text(
    "initial-cluster",
    "default=http://localhost:2380",
    "Initial cluster configuration for restore bootstrap",
  ),
  text(
    "initial-cluster-token",
    "etcd-cluster",
    "Initial cluster token for the etcd cluster during restore bootstrap",
  ),
  text(
    "initial-advertise-peer-urls",
    "http://localhost:2380",
    "List of this member's peer URLs to advertise to the rest of the cluster",
  ),
  text("name", "default", "Human-readable name for this member"),
  {
    name: "skip-hash-check",
    kind: "bool",
    default: false,
    usage: "Ignore snapshot integrity hash value (required if copied from data directory)",
  },
  {
    name: "initial-memory-map-size",
    kind: "uint",
    default: 10_737_418_240n,
    usage:
      "Initial memory map size of the database in bytes. It uses the default value if not defined or defined to 0",
  },
  {
    name: "bump-revision",
    kind: "uint",
    default: 0n,
    usage: "How much to increase the latest revision after restore",
  },
  {
    name: "mark-compacted",
    kind: "bool",
    default: false,
    usage:
      "Mark the latest revision after restore as the point of scheduled compaction (required if --bump-revision > 0, disallowed otherwise)",
  },
];
