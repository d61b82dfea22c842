/**
 * The backend on SQLite: reads on this thread through a connection of its own, writes in a worker.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../lib/assert.ts";
import type { LeaseId, Revision } from "../../lib/ids.ts";
import type { SqliteDatabase, SqliteDriverName, SqliteStatement } from "../../runtime/sqlite.ts";
import { sqliteDriver } from "../../runtime/sqlite.ts";
import type {
  Backend,
  BackendPosition,
  BinaryKey,
  CompactionPace,
  CompactionProgress,
  Generation,
  KeySpan,
  ScanOptions,
  ScanPart,
  ScanPartOptions,
  Version,
  VersionHead,
} from "../backend.ts";
import { BackendClosedError } from "../errors.ts";
import { assertPageSize, openReader } from "./connection.ts";
import { CountReader } from "./count.ts";
import { toBackendError } from "./failures.ts";
import { Horizon } from "./horizon.ts";
import { ListReader } from "./lists.ts";
import { PastReader } from "./past.ts";
import { PointReader } from "./points.ts";
import { ScanReader } from "./scan.ts";
import { fileName, type StateRow } from "./schema.ts";
import { toPosition } from "./state.ts";
import { WorkerClient, type WriterClient } from "./worker-client.ts";

export interface SqliteBackendOptions {
  /** The folder of the database file; made if missing. Nobody else may have it open: the caller holds a lock. */
  readonly dir: string;
  /** Which driver; default: the best of the runtime. */
  readonly driver?: SqliteDriverName;
  /** Bytes of a database page, fixed when the file is made. Default 4096. */
  readonly pageSize?: number;
  /** Page cache of the reading connection. Default 16 MiB. */
  readonly cacheBytes?: number;
  /** Page cache of the writing connection. Default 4 MiB. */
  readonly writerCacheBytes?: number;
  /** The -wal file is brought home when it is longer. Default 32 MiB. */
  readonly walBytesMax?: number;
  /** False: never wait for the disk (`--unsafe-no-fsync`). Default true. */
  readonly sync?: boolean;
  /** The file may not grow beyond so many bytes; a write that would is refused as if the disk were full. Default: no
   * limit. */
  readonly fileBytesMax?: number;
  /** For a new store that an import fills, and that is removed if anything happens before it is whole: writes are not
   * logged. Nothing may be read before the first `sync`, which ends this. */
  readonly isFilling?: boolean;
}

/** How long one slice of background work may hold up the generations behind it. */
const sliceMs = 10;

export async function openSqliteBackend(options: SqliteBackendOptions): Promise<SqliteBackend> {
  const pageSize = options.pageSize ?? 4096;
  assertPageSize(pageSize);
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const file = join(options.dir, fileName);
  const client = await WorkerClient.start({
    file,
    driver: options.driver,
    options: {
      pageSize,
      cacheBytes: options.writerCacheBytes ?? 4 * 1024 * 1024,
      walBytesMax: options.walBytesMax ?? 32 * 1024 * 1024,
      sync: options.sync ?? true,
      pagesMax: Math.floor((options.fileBytesMax ?? 0) / pageSize),
      isFilling: options.isFilling ?? false,
    },
  });
  try {
    const driver = await sqliteDriver(options.driver);
    const db = openReader(driver, file, options.cacheBytes ?? 16 * 1024 * 1024);
    return new SqliteBackend(file, db, client, options.isFilling);
  } catch (error) {
    await client.close();
    throw toBackendError(error, file);
  }
}

export class SqliteBackend implements Backend {
  readonly name = "sqlite";
  readonly file: string;
  readonly #db: SqliteDatabase;
  readonly #client: WriterClient;
  readonly #horizon: Horizon;
  readonly #points: PointReader;
  readonly #scans: ScanReader;
  readonly #counts: CountReader;
  readonly #lists: ListReader;
  readonly #readState: SqliteStatement<StateRow>;
  #position: BackendPosition;
  #durable: BackendPosition;
  /** Without a journal a reader would wait for the writer, and the writer for it. */
  #isFilling: boolean;
  #closed = false;
  /** Compaction and defragmentation follow each other. */
  #background: Promise<unknown> = Promise.resolve();

  constructor(file: string, db: SqliteDatabase, client: WriterClient, isFilling = false) {
    this.#isFilling = isFilling;
    const { state, durable } = client.standing;
    this.file = file;
    this.#db = db;
    this.#client = client;
    this.#horizon = new Horizon(state);
    const past = new PastReader(db, file, this.#horizon);
    this.#points = new PointReader(db, file, this.#horizon, past);
    this.#scans = new ScanReader(db, file, this.#points, past);
    this.#counts = new CountReader(db, file, this.#horizon, past);
    this.#lists = new ListReader(db, file, this.#horizon, past);
    this.#readState = db.prepare("SELECT * FROM state WHERE id = 0");
    this.#position = toPosition(state);
    this.#durable = toPosition(durable);
  }

  get position(): BackendPosition {
    return this.#position;
  }

  get durable(): BackendPosition {
    return this.#durable;
  }

  versionAt(key: BinaryKey, atRevision: Revision): Version | undefined {
    return this.#read(() => this.#points.versionAt(key, atRevision));
  }

  newestHead(key: BinaryKey): VersionHead | undefined {
    return this.#read(() => this.#points.newestHead(key));
  }

  scan(span: KeySpan, options: ScanOptions): Version[] {
    return this.#read(() => this.#scans.scan(span, options));
  }

  scanPart(span: KeySpan, options: ScanPartOptions): ScanPart {
    return this.#read(() => this.#scans.scanPart(span, options));
  }

  count(span: KeySpan, atRevision: Revision, limit: number): { count: number; next: BinaryKey | undefined } {
    return this.#read(() => this.#counts.count(span, atRevision, limit));
  }

  history(after: { revision: Revision; sub: number }, limit: number, bytes: number): Version[] {
    return this.#read(() => this.#lists.history(after, limit, bytes));
  }

  keysOfLease(lease: LeaseId, after: BinaryKey | undefined, limit: number): BinaryKey[] {
    return this.#read(() => this.#lists.keysOfLease(lease, after, limit));
  }

  meta(bucket: string, after: BinaryKey | undefined, limit: number): { key: BinaryKey; value: Uint8Array }[] {
    return this.#read(() => this.#lists.meta(bucket, after, limit));
  }

  async write(generation: Generation): Promise<void> {
    if (this.#closed) throw new BackendClosedError();
    this.#horizon.handed(generation);
    await this.#client.write(generation);
    if (!this.#closed && !this.#isFilling) this.#assertReadable();
    this.#catchUp();
  }

  /**
   * The overlay drops a generation once its write has ended. If the reading connection still saw what was before (it
   * does for as long as one of its statements is open), reads would be stale without anybody noticing.
   */
  #assertReadable(): void {
    const { state } = this.#client.standing;
    const row = this.#read(() => this.#readState.get());
    const { revision = 0, applied_index = 0 } = row ?? {};
    const isThere = revision >= state.revision && applied_index >= state.applied_index;
    assert(isThere, `${this.file}: revision ${state.revision} was written, and ${revision} is read`);
  }

  async sync(): Promise<void> {
    if (this.#closed) throw new BackendClosedError();
    await this.#client.request({ kind: "sync" });
    this.#isFilling = false;
    this.#catchUp();
  }

  compact(
    revision: Revision,
    signal?: { readonly aborted: boolean },
    pace?: CompactionPace,
  ): Promise<CompactionProgress> {
    const batchRows = pace?.batchRows ?? Number.MAX_SAFE_INTEGER;
    return this.#inBackground(async () => {
      let removed = 0;
      let left = batchRows;
      while (!this.#closed && !signal?.aborted) {
        const request = { kind: "compact", revision, budgetMs: sliceMs, rowsMax: left } as const;
        const slice = await this.#client.request(request);
        this.#catchUp();
        removed += slice.removed;
        if (slice.done) break;
        left -= slice.looked;
        if (left > 0) continue;
        await pace?.rest();
        left = batchRows;
      }
      return { removed };
    });
  }

  defragment(signal?: { readonly aborted: boolean }): Promise<void> {
    return this.#inBackground(async () => {
      while (!this.#closed && !signal?.aborted) {
        if ((await this.#client.request({ kind: "vacuum", budgetMs: sliceMs })).done) break;
      }
      // The file only gets shorter when the -wal file is brought home.
      if (!this.#closed) await this.#client.request({ kind: "checkpoint" });
      this.#catchUp();
    });
  }

  sizes(): { totalBytes: number; inUseBytes: number } {
    return this.#client.standing.sizes;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#background.catch(() => undefined);
    this.#db.close();
    await this.#client.close();
  }

  #read<T>(read: () => T): T {
    if (this.#closed) throw new BackendClosedError();
    try {
      return read();
    } catch (error) {
      throw toBackendError(error, this.file);
    }
  }

  #inBackground<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new BackendClosedError());
    const result = this.#background.then(work, work);
    this.#background = result;
    return result;
  }

  #catchUp(): void {
    const { state, durable } = this.#client.standing;
    this.#horizon.written(state);
    this.#position = toPosition(state);
    this.#durable = toPosition(durable);
  }
}
