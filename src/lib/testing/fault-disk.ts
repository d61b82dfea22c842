/**
 * A disk in memory that does what a real one may do and no more: it loses what was not synced, sector by sector and in
 * any order, and it refuses operations when told to. For tests of the log and for the simulation.
 */
import type { Disk, DiskFile, OpenMode } from "../disk.ts";
import type { Prng } from "../prng.ts";

/** A disk writes a sector as a whole or not at all. */
const sectorBytes = 512;

export type DiskOperationKind =
  | "list"
  | "makeDir"
  | "open"
  | "rename"
  | "remove"
  | "syncDir"
  | "size"
  | "read"
  | "write"
  | "writeDurably"
  /** The second half of `writeDurably`: the bytes are in the file, and nothing of them is durable yet. */
  | "persist"
  | "sync"
  | "truncate"
  | "close";

export interface DiskOperation {
  readonly kind: DiskOperationKind;
  readonly path: string;
  /** Of reads and writes. */
  readonly position: number;
  readonly length: number;
}

/** What goes wrong with one operation. */
export interface DiskFault {
  /** The error's code, such as "ENOSPC". */
  readonly code: string;
  /** So many bytes of a write get into the file before it fails. Default 0. */
  readonly writtenBytes?: number;
}

/** Called before each operation. May wait (a slow disk), and may return a fault. */
export type DiskHook = (operation: DiskOperation) => DiskFault | undefined | Promise<DiskFault | undefined>;

interface Node {
  /** What a process sees. `bytes` beyond `size` are zeros. */
  bytes: Uint8Array;
  size: number;
  /** What is surely on the disk. */
  durable: Uint8Array;
  /** Sectors that differ from it in an unknown way. */
  readonly dirty: Set<number>;
}

type Names = Map<string, Node>;

export class FaultDisk implements Disk {
  /** What processes see, and what a loss of power leaves at least, by full path. */
  #names: Names = new Map();
  #durableNames: Names = new Map();
  /** The visible names after each change that was not synced, oldest first: a file system keeps their order. */
  #unsynced: Names[] = [];
  readonly #dirs = new Set<string>();
  hook: DiskHook | undefined;

  // The disk itself.

  async list(dir: string): Promise<string[]> {
    await this.#begin("list", dir);
    if (!this.#dirs.has(dir)) throw diskError("ENOENT", dir);
    const prefix = `${dir}/`;
    return [...this.#names.keys()]
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes("/"))
      .map((path) => path.slice(prefix.length));
  }

  async makeDir(dir: string): Promise<void> {
    await this.#begin("makeDir", dir);
    this.#dirs.add(dir);
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    await this.#begin("open", path);
    let node = this.#names.get(path);
    if (mode === "create") {
      node = { bytes: new Uint8Array(0), size: 0, durable: new Uint8Array(0), dirty: new Set() };
      const created = node;
      this.#change((names) => names.set(path, created));
    }
    if (node === undefined) throw diskError("ENOENT", path);
    return new FaultFile(path, node, mode === "read", (kind, position, length) =>
      this.#begin(kind, path, position, length),
    );
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#begin("rename", from);
    const node = this.#names.get(from);
    if (node === undefined) throw diskError("ENOENT", from);
    this.#change((names) => {
      names.delete(from);
      names.set(to, node);
    });
  }

  async remove(path: string): Promise<void> {
    await this.#begin("remove", path);
    if (!this.#names.has(path)) throw diskError("ENOENT", path);
    this.#change((names) => names.delete(path));
  }

  async syncDir(dir: string): Promise<void> {
    await this.#begin("syncDir", dir);
    this.#durableNames = new Map(this.#names);
    this.#unsynced = [];
  }

  // What tests do with it.

  /** The disk after a loss of power: of what was not synced, any sectors and a prefix of the changed names are there. */
  afterPowerLoss(random: Prng): FaultDisk {
    const after = new FaultDisk();
    for (const dir of this.#dirs) after.#dirs.add(dir);
    const states = [this.#durableNames, ...this.#unsynced];
    for (const [path, node] of random.pick(states)) after.#place(path, contentAfterLoss(node, random));
    return after;
  }

  /** The disk as the next process finds it when this one was killed: nothing is lost, but nothing more durable. */
  afterKill(): FaultDisk {
    const after = new FaultDisk();
    for (const dir of this.#dirs) after.#dirs.add(dir);
    const copies = new Map<Node, Node>();
    const copyOf = (node: Node): Node => {
      const known = copies.get(node);
      if (known !== undefined) return known;
      const copy = {
        ...node,
        bytes: node.bytes.slice(),
        durable: node.durable.slice(),
        dirty: new Set(node.dirty),
      };
      copies.set(node, copy);
      return copy;
    };
    const copyNames = (names: Names): Names =>
      new Map([...names].map(([path, node]) => [path, copyOf(node)]));
    after.#names = copyNames(this.#names);
    after.#durableNames = copyNames(this.#durableNames);
    after.#unsynced = this.#unsynced.map(copyNames);
    return after;
  }

  /** All paths, sorted. */
  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** A copy of what a file holds. */
  contentOf(path: string): Uint8Array {
    const node = this.#names.get(path);
    if (node === undefined) throw diskError("ENOENT", path);
    return node.bytes.slice(0, node.size);
  }

  /** Puts a file there, durably. */
  put(path: string, content: Uint8Array): void {
    this.#dirs.add(path.slice(0, path.lastIndexOf("/")));
    this.#place(path, content);
  }

  #place(path: string, content: Uint8Array): void {
    const bytes = content.slice();
    const node = { bytes, size: bytes.length, durable: bytes.slice(), dirty: new Set<number>() };
    this.#names.set(path, node);
    this.#durableNames.set(path, node);
    for (const names of this.#unsynced) names.set(path, node);
  }

  #change(change: (names: Names) => void): void {
    change(this.#names);
    this.#unsynced.push(new Map(this.#names));
  }

  async #begin(
    kind: DiskOperationKind,
    path: string,
    position = 0,
    length = 0,
  ): Promise<DiskFault | undefined> {
    const fault = await this.hook?.({ kind, path, position, length });
    if (fault !== undefined && fault.writtenBytes === undefined) throw diskError(fault.code, path);
    return fault;
  }
}

type Begin = (kind: DiskOperationKind, position: number, length: number) => Promise<DiskFault | undefined>;

class FaultFile implements DiskFile {
  readonly #path: string;
  readonly #node: Node;
  readonly #readOnly: boolean;
  readonly #begin: Begin;
  #closed = false;

  constructor(path: string, node: Node, readOnly: boolean, begin: Begin) {
    this.#path = path;
    this.#node = node;
    this.#readOnly = readOnly;
    this.#begin = begin;
  }

  async size(): Promise<number> {
    await this.#start("size");
    return this.#node.size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    await this.#start("read", position, into.length);
    const part = this.#node.bytes.subarray(position, Math.min(position + into.length, this.#node.size));
    into.set(part);
    return part.length;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    await this.#write("write", bytes, position);
  }

  async writeDurably(bytes: Uint8Array, position: number): Promise<void> {
    await this.#write("writeDurably", bytes, position);
    await this.#start("persist", position, bytes.length);
    this.#settle(position, position + bytes.length);
  }

  async sync(): Promise<void> {
    await this.#start("sync");
    this.#settle(0, this.#node.size);
    if (this.#node.durable.length > this.#node.size) {
      this.#node.durable = this.#node.durable.slice(0, this.#node.size);
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#start("truncate");
    this.#grow(sizeBytes);
    this.#node.bytes.fill(0, sizeBytes);
    this.#node.size = sizeBytes;
    for (let at = sizeBytes; at < this.#node.durable.length; at += sectorBytes) this.#markDirty(at);
  }

  async close(): Promise<void> {
    await this.#start("close");
    this.#closed = true;
  }

  async #write(kind: "write" | "writeDurably", bytes: Uint8Array, position: number): Promise<void> {
    if (this.#readOnly) throw diskError("EBADF", this.#path);
    const taken = bytes.slice();
    const fault = await this.#start(kind, position, bytes.length);
    // The caller promised not to touch them.
    for (let i = 0; i < taken.length; i++) {
      if (taken[i] !== bytes[i]) throw new Error(`${this.#path}: bytes changed while they were written`);
    }
    const count = fault === undefined ? taken.length : Math.min(fault.writtenBytes ?? 0, taken.length);
    this.#grow(position + count);
    this.#node.bytes.set(taken.subarray(0, count), position);
    this.#node.size = Math.max(this.#node.size, position + count);
    for (let at = position; at < position + count; at += sectorBytes - (at % sectorBytes))
      this.#markDirty(at);
    if (fault !== undefined) throw diskError(fault.code, this.#path);
  }

  async #start(kind: DiskOperationKind, position = 0, length = 0): Promise<DiskFault | undefined> {
    if (this.#closed) throw diskError("EBADF", this.#path);
    return await this.#begin(kind, position, length);
  }

  #markDirty(at: number): void {
    this.#node.dirty.add(Math.floor(at / sectorBytes));
  }

  #grow(size: number): void {
    if (size <= this.#node.bytes.length) return;
    const larger = new Uint8Array(Math.max(size, this.#node.bytes.length * 2));
    larger.set(this.#node.bytes);
    this.#node.bytes = larger;
  }

  /** What lies between is on the disk from now on. */
  #settle(start: number, end: number): void {
    const node = this.#node;
    if (node.durable.length < end) {
      const longer = new Uint8Array(end);
      longer.set(node.durable);
      node.durable = longer;
    }
    for (let sector = Math.floor(start / sectorBytes); sector * sectorBytes < end; sector++) {
      const from = sector * sectorBytes;
      const to = Math.min(from + sectorBytes, node.size, node.durable.length);
      node.durable.set(node.bytes.subarray(from, to), from);
      node.dirty.delete(sector);
    }
  }
}

/** What a loss of power makes of a file: each sector old or new, the size one that it had or one between. */
function contentAfterLoss(node: Node, random: Prng): Uint8Array {
  const { durable } = node;
  const sizes = [durable.length, node.size];
  if (node.size > durable.length) sizes.push(durable.length + random.below(node.size - durable.length));
  const after = new Uint8Array(random.pick(sizes));
  after.set(durable.subarray(0, after.length));
  for (const sector of node.dirty) {
    const from = sector * sectorBytes;
    if (from >= after.length || random.chance(0.5)) continue;
    const to = Math.min(from + sectorBytes, after.length);
    after.set(node.bytes.subarray(from, to), from);
  }
  return after;
}

function diskError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
