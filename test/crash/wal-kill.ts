/** Kills a process that writes a log, at random moments, and looks at what is there afterwards. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RaftIndex } from "../../src/lib/ids.ts";
import { Prng } from "../../src/lib/prng.ts";
import { openWal } from "../../src/wal/open.ts";

export const killMetadata = Uint8Array.from([7]);
export const killSegmentBytes = 512 * 1024;

/** The data of entry `index`: told by its index alone. */
export function contentOf(index: number): Uint8Array {
  const data = new Uint8Array(index % 700);
  for (let i = 0; i < data.length; i++) data[i] = (index * 31 + i) & 255;
  return data;
}

/** Kills a writer `rounds` times, each time on the log that the one before left. Throws at the first thing wrong. */
export async function killTrials(
  seed: number,
  rounds: number,
): Promise<{ entries: number; repaired: number }> {
  const random = new Prng(seed);
  const root = mkdtempSync(join(tmpdir(), "wal-kill-"));
  const dir = join(root, "log");
  let repaired = 0;
  let entries = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      const acknowledged = await runAndKill(dir, seed + round, 20 + random.below(150));
      const onWarning = (message: string) => {
        if (message.startsWith("repaired")) repaired++;
      };
      const options = { dir, metadata: killMetadata, segmentBytes: killSegmentBytes, onWarning };
      const { wal, contents } = await openWal(options, 0 as RaftIndex);
      await wal.close();
      if (contents.lastIndex < acknowledged) {
        throw new Error(
          `seed ${seed}, round ${round}: ${acknowledged} acknowledged, ${contents.lastIndex} found`,
        );
      }
      for (const { index, data } of contents.entries) {
        if (!Buffer.from(data).equals(contentOf(index)))
          throw new Error(`seed ${seed}: entry ${index} differs`);
      }
      if (contents.entries.length !== contents.lastIndex)
        throw new Error(`seed ${seed}: entries are missing`);
      entries = contents.lastIndex;
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return { entries, repaired };
}

/** The last index that the child said was acknowledged. */
async function runAndKill(dir: string, seed: number, afterMs: number): Promise<number> {
  const script = fileURLToPath(new URL("./wal-child.ts", import.meta.url));
  const deno = process.versions["deno"] !== undefined;
  const args = deno ? ["run", "-A", "--no-check", script] : [script];
  const child = spawn(process.execPath, [...args, dir, String(seed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  // Time is counted from the moment it is at work.
  await once(child.stdout, "data");
  setTimeout(() => child.kill("SIGKILL"), afterMs);
  const [code] = await once(child, "close");
  if (code !== null) throw new Error(`seed ${seed}: the writer ended by itself, status ${code}`);
  // A killed process may have written half of its last line.
  const lines = said.slice(0, said.lastIndexOf("\n")).split("\n");
  return Number(lines.at(-1));
}
