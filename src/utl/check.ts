/** `etclite utl check`: verifies a data folder, changes nothing, and says what is wrong with which file. */
import { join } from "node:path";
import type { CommandCall } from "../lib/command-line/command.ts";
import { progressBar } from "../lib/progress-bar.ts";
import { type FolderReport, inspectFolder } from "./data-folder/inspect.ts";
import { lockWhenFree, storeOf } from "./data-folder/open-stopped.ts";
import { ExitCode, failWith } from "./exit-codes.ts";

export async function check({ flags, output }: CommandCall): Promise<number> {
  const [dataDir, walDir] = [flags.string("data-dir"), flags.string("wal-dir")];
  const format = flags.string("write-out");
  if (format !== "simple" && format !== "json") {
    return failWith(output, ExitCode.badFeature, `${format} not supported as output format`);
  }
  try {
    const member = join(dataDir, "member");
    const store = await storeOf(dataDir);
    const lock = await lockWhenFree(member, flags.durationMs("timeout"));
    try {
      const places = { member, store, log: walDir || join(member, "log") };
      const bar = progressBar({ isTerminal: process.stderr.isTTY === true, err: output.err }, "checking");
      const report = await inspectFolder(places, (what, done, total) => bar.at(done, total, what)).finally(
        () => bar.end(),
      );
      output.out(format === "json" ? `${JSON.stringify(report)}\n` : textOf(report));
      return report.problems.length === 0 ? ExitCode.success : ExitCode.error;
    } finally {
      lock.release();
    }
  } catch (error) {
    return failWith(output, ExitCode.error, error);
  }
}

function textOf({ log, store, notes, problems }: FolderReport): string {
  const lines: string[] = [];
  if (log) {
    const { dir, segments, entries, firstIndex, lastIndex, lastTerm, commit } = log;
    lines.push(
      `log: ${dir}: ${segments} segments, ${entries} entries, from ${firstIndex} to ${lastIndex} of term ${lastTerm}, ` +
        `committed up to ${commit}`,
    );
  }
  if (store) {
    const { file, keys, versions, revision, compactRevision, appliedIndex } = store;
    lines.push(
      `store: ${file}: ${keys} keys, ${versions} versions, revision ${revision}, compacted up to ` +
        `${compactRevision}, applied up to entry ${appliedIndex}`,
    );
  }
  for (const note of notes) lines.push(`note: ${note}`);
  for (const problem of problems) lines.push(`problem: ${problem}`);
  const count = problems.length;
  lines.push(count === 0 ? "no problems found" : `${count} ${count === 1 ? "problem" : "problems"} found`);
  return `${lines.join("\n")}\n`;
}
