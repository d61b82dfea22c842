/**
 * Snapshots from other members as files: `<index>.snap.db`, as etcd names them. A file has that name only when all of it
 * is there and checked; until then it is `<index>.<n>.part`.
 *
 * Nothing here is synced. A file lives for the seconds in which a store is filled from it, and after a crash the leader
 * sends another; while on a disk that others share, bringing it there would hold up the log's syncs for nothing.
 */
import type { Disk, DiskFile } from "../../../lib/disk.ts";
import type { RaftIndex } from "../../../lib/ids.ts";
import type { Message } from "../../../lib/raft-message.ts";
import type { IncomingSnapshot, SnapshotSink } from "../contracts.ts";

export interface FileSnapshotSinkOptions {
  readonly disk: Disk;
  /** Must exist. */
  readonly dir: string;
  /** Rejects if the file cannot be the state that the message stands for. It is not in its place yet. */
  readonly verify: (path: string, message: Message) => Promise<void>;
  /** For metrics: how many seconds it took from the first byte. */
  readonly onSaved?: (seconds: number) => void;
  readonly monotonicMs?: () => number;
}

export class FileSnapshotSink implements SnapshotSink {
  readonly #options: FileSnapshotSinkOptions;
  #count = 0;

  constructor(options: FileSnapshotSinkOptions) {
    this.#options = options;
  }

  /** Where the snapshot of this index is, once it has come. */
  pathOf(index: RaftIndex): string {
    return `${this.#options.dir}/${hex(index)}.snap.db`;
  }

  /** Removes what a crash left behind: nobody makes anything of it any more. */
  async removeLeftovers(): Promise<void> {
    const { disk, dir } = this.#options;
    const names = (await disk.list(dir)).filter((name) => /^[0-9a-f]{16}\.(\d+\.part|snap\.db)$/.test(name));
    for (const name of names) await disk.remove(`${dir}/${name}`);
  }

  async open(message: Message): Promise<IncomingSnapshot> {
    const { disk, dir, verify, onSaved, monotonicMs = () => 0 } = this.#options;
    const startMs = monotonicMs();
    const { index } = message.snapshot!.metadata;
    const part = `${dir}/${hex(index)}.${this.#count++}.part`;
    const file = await disk.open(part, "create");
    return new IncomingFile(file, {
      finish: async () => {
        await verify(part, message);
        await disk.rename(part, this.pathOf(index));
        onSaved?.((monotonicMs() - startMs) / 1000);
      },
      remove: () => disk.remove(part),
    });
  }
}

interface Then {
  finish(): Promise<void>;
  remove(): Promise<void>;
}

class IncomingFile implements IncomingSnapshot {
  readonly #file: DiskFile;
  readonly #then: Then;
  #size = 0;
  #isOpen = true;

  constructor(file: DiskFile, then: Then) {
    this.#file = file;
    this.#then = then;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const at = this.#size;
    this.#size += chunk.length;
    await this.#file.write(chunk, at);
  }

  async commit(): Promise<void> {
    await this.#close();
    await this.#then.finish();
  }

  async abort(): Promise<void> {
    await this.#close();
    // It may be gone under its other name: then there is nothing to remove.
    await this.#then.remove().catch(() => {});
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
  }
}

function hex(index: RaftIndex): string {
  return index.toString(16).padStart(16, "0");
}
