/**
 * All that writes to the file, synchronously. It lives in a thread of its own (worker.ts).
 */
import { closeSync, fdatasyncSync, openSync, statSync } from "node:fs";
import {
  SqliteCode,
  type SqliteDatabase,
  type SqliteDriver,
  type SqliteStatement,
  sqliteCodeOf,
} from "../../runtime/sqlite.ts";
import { GenerationWriter } from "./apply-generation.ts";
import { Compactor, type CompactRequest } from "./compactor.ts";
import { type ConnectionOptions, logAhead, openWriter, pragmaValue } from "./connection.ts";
import { toBackendError } from "./failures.ts";
import { Filling } from "./filling.ts";
import { GenerationReader } from "./generation-buffer.ts";
import { prepareStateUpdate, readState, type State, values } from "./state.ts";

export interface WriterOptions extends ConnectionOptions {
  /** The -wal file is brought home when it is longer than this. */
  readonly walBytesMax: number;
  /** Keys of an import that are gathered before they are written. */
  readonly importKeysMax?: number;
}

export interface Sizes {
  readonly totalBytes: number;
  readonly inUseBytes: number;
}

export class SqliteWriter {
  readonly file: string;
  readonly #options: WriterOptions;
  readonly #db: SqliteDatabase;
  readonly #generations: GenerationWriter;
  readonly #compactor: Compactor;
  readonly #updateState: SqliteStatement;
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  readonly #checkpoint: SqliteStatement<{ busy: number }>;
  readonly #pageCount: SqliteStatement<{ page_count: number }>;
  readonly #freeCount: SqliteStatement<{ freelist_count: number }>;
  readonly #pageSize: number;
  #filling: Filling | undefined;
  #state: State;
  #durable: State;
  /** Why nothing more is written, if so. */
  #broken: Error | undefined;

  constructor(driver: SqliteDriver, file: string, options: WriterOptions) {
    this.file = file;
    this.#options = options;
    let db: SqliteDatabase | undefined;
    try {
      db = openWriter(driver, file, options);
      this.#db = db;
      this.#state = readState(db, file);
      this.#durable = this.#state;
      this.#generations = new GenerationWriter(db, file, options.importKeysMax);
      this.#compactor = new Compactor(db, file);
      this.#updateState = prepareStateUpdate(db);
      this.#begin = db.prepare("BEGIN IMMEDIATE");
      this.#commit = db.prepare("COMMIT");
      this.#checkpoint = db.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
      this.#pageCount = db.prepare("PRAGMA page_count");
      this.#freeCount = db.prepare("PRAGMA freelist_count");
      this.#pageSize = Number(pragmaValue(db, "page_size"));
      if (options.isFilling) this.#filling = new Filling(file, options.sync);
    } catch (error) {
      db?.close();
      throw toBackendError(error, file);
    }
  }

  get state(): State {
    return this.#state;
  }

  /** What survives a loss of power. */
  get durable(): State {
    return this.#durable;
  }

  write(buffer: ArrayBuffer): void {
    const generation = new GenerationReader(buffer);
    this.#transaction(() => {
      return this.#generations.apply(generation, this.#state, () => this.#filling?.syncSome());
    });
  }

  /** A slice of compaction. Returns how many versions it removed and looked at, and whether all is done. */
  compact(request: CompactRequest): { removed: number; looked: number; done: boolean } {
    let result = { removed: 0, looked: 0, done: true };
    this.#transaction(() => {
      const { state, ...progress } = this.#compactor.slice(this.#state, request);
      result = progress;
      return state;
    });
    return result;
  }

  /**
   * Moves pages from the end of the file into free ones for about `budgetMs`. True when no free page is left. Needs
   * room in the -wal file for what it moves: if the disk is full it throws a BackendIoError, and nothing has changed.
   */
  vacuum(budgetMs: number): boolean {
    const start = performance.now();
    let pages = 16;
    while (performance.now() - start < budgetMs) {
      if (this.#freePages() === 0) return true;
      const before = performance.now();
      this.#movePages(pages);
      if (performance.now() - before < budgetMs / 4) pages *= 2;
    }
    return this.#freePages() === 0;
  }

  /** True when the -wal file is longer than it should be. */
  get needsCheckpoint(): boolean {
    return this.#walBytes() > this.#options.walBytesMax;
  }

  /** Brings the -wal file home: into the database, with both synced, and cuts it to nothing. */
  checkpoint(): void {
    if (this.#broken || this.#walBytes() === 0) return;
    this.#guard(() => {
      const [row] = this.#checkpoint.all();
      // Busy only if a reader of another process holds it up; the next checkpoint will do it.
      if (row?.busy === 0) this.#durable = this.#state;
    });
  }

  /** Brings to the disk what was written, so that it does not become much, unless nobody waits for the disk. */
  syncSome(): void {
    if (this.#filling === undefined) this.sync();
    else this.#guard(() => this.#filling?.syncSome());
  }

  /** Makes what was written durable. */
  sync(): void {
    this.#throwIfBroken();
    this.#endFilling();
    if (this.#durable === this.#state) return;
    if (this.#options.sync) {
      // The committed frames of the -wal file are what SQLite recovers after a loss of power: syncing that file is
      // enough, and quicker than bringing it home. Nobody holds a lock on it, so it may be opened beside SQLite.
      const descriptor = openSync(`${this.file}-wal`, "r+");
      try {
        this.#guard(() => fdatasyncSync(descriptor));
      } finally {
        closeSync(descriptor);
      }
    }
    this.#durable = this.#state;
  }

  sizes(): Sizes {
    const pages = this.#pageCount.get()!.page_count;
    return {
      totalBytes: pages * this.#pageSize,
      inUseBytes: (pages - this.#freePages()) * this.#pageSize,
    };
  }

  /** Gives back memory that is not needed when there is nothing to do. */
  rest(): void {
    this.checkpoint();
    this.#db.exec("PRAGMA shrink_memory");
  }

  /** The last connection to close also removes the -wal file. */
  close(): void {
    try {
      this.checkpoint();
    } finally {
      this.#filling?.close();
      this.#db.close();
    }
  }

  /** Nothing is written from now on; whoever tries gets `error`. */
  giveUp(error: unknown): void {
    this.#broken ??= toBackendError(error, this.file);
  }

  /** The store is whole: from now on it is like any other. */
  #endFilling(): void {
    const filling = this.#filling;
    if (filling === undefined) return;
    this.#guard(() => {
      filling.sync();
      logAhead(this.#db, this.file, this.#options.sync);
      // The header says now how the file is written to.
      filling.sync();
      filling.close();
    });
    this.#filling = undefined;
    this.#durable = this.#state;
  }

  #movePages(pages: number): void {
    this.#throwIfBroken();
    try {
      this.#db.exec(`PRAGMA incremental_vacuum(${pages})`);
    } catch (error) {
      // SQLite has rolled the statement back, and it held nothing of what was acknowledged: writing can go on.
      if (error instanceof Error && sqliteCodeOf(error) === SqliteCode.full)
        throw toBackendError(error, this.file);
      this.giveUp(error);
      throw this.#broken;
    }
  }

  #freePages(): number {
    return this.#freeCount.get()!.freelist_count;
  }

  #walBytes(): number {
    return statSync(`${this.file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }

  #transaction(change: () => State): void {
    this.#throwIfBroken();
    this.#guard(() => {
      this.#begin.run();
      const next = change();
      this.#updateState.run(...values(next));
      this.#commit.run();
      this.#state = next;
    });
  }

  /** Whatever fails here has lost the order of the generations, or the disk: nothing may be written after it. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.giveUp(error);
      try {
        this.#db.exec("ROLLBACK");
      } catch {
        // SQLite has rolled back by itself, as it does when the disk is full.
      }
      throw this.#broken;
    }
  }

  #throwIfBroken(): void {
    if (this.#broken) throw this.#broken;
  }
}
