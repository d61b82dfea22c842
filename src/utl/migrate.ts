/** `etcdutl migrate`: there is nothing to migrate, and it says what to do instead. */
import type { CommandCall } from "../lib/command-line/command.ts";
import { goQuote } from "../lib/go-quote.ts";
import { ExitCode, failWith } from "./exit-codes.ts";

const required = ["data-dir", "target-version"];

export async function migrate({ flags, output }: CommandCall): Promise<number> {
  const missing = required.filter((name) => !flags.isGiven(name));
  if (missing.length > 0) {
    return failWith(output, ExitCode.error, `required flag(s) ${missing.map(goQuote).join(", ")} not set`);
  }
  return failWith(
    output,
    ExitCode.error,
    "a data directory of etclite has one form, whatever version of etcd it stands for, and needs no migration. " +
      "To go to etcd, or to another version of it, make its data directory with `etclite utl export --to-etcd DIR`, " +
      "and migrate that with etcdutl; a cluster goes back a version with `etcdctl downgrade`",
  );
}
