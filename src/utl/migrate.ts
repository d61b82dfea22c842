/** `etcdutl migrate`: there is nothing to migrate, and it says what to do instead. */
import type { CommandCall } from "../lib/command-line/command.ts";
import { ExitCode, failWith } from "./exit-codes.ts";

export async function migrate({ output }: CommandCall): Promise<number> {
  return failWith(
    output,
    ExitCode.error,
    "a data directory of etclite has one form, whatever version of etcd it stands for, and needs no migration. " +
      "To go to etcd, or to another version of it, make its data directory with `etclite utl export --to-etcd DIR`, " +
      "and migrate that with etcdutl; a cluster goes back a version with `etcdctl downgrade`",
  );
}
