/** What SQLite and the checks throw, as the errors of the contract, and how those cross between threads. */
import { SqliteCode, sqliteCodeOf } from "../../runtime/sqlite.ts";
import { BackendClosedError, BackendCorruptError, BackendIoError } from "../errors.ts";

/** What SQLite says of a header that it does not know, and has no code for. */
const unsupported = /^(unsupported file format|.*malformed database schema)/;

/** Errors of SQLite become ours; any other stays what it is. */
export function toBackendError(error: unknown, file: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  switch (sqliteCodeOf(error)) {
    case SqliteCode.corrupt:
      return new BackendCorruptError(file, error.message, "the database is damaged", error);
    case SqliteCode.notADatabase:
      return new BackendCorruptError(file, error.message, "the file is not a database", error);
    case SqliteCode.full:
      return new BackendIoError(file, "no space left on the disk", true, error);
    case SqliteCode.ioError:
    case SqliteCode.readOnly:
    case SqliteCode.cannotOpen:
    case SqliteCode.busy:
      return new BackendIoError(file, error.message, false, error);
    default:
      if (unsupported.test(error.message)) {
        return new BackendCorruptError(file, error.message, "the database is damaged", error);
      }
      // node:sqlite refuses to return an integer beyond the safe range: we never store one.
      if ((error as { code?: unknown }).code === "ERR_OUT_OF_RANGE") {
        return new BackendCorruptError(file, error.message, "the database is damaged", error);
      }
      return error;
  }
}

/** An error as a plain object, so that its kind survives the way to another thread. */
export interface Failure {
  readonly kind: "corrupt" | "io" | "closed" | "other";
  readonly message: string;
  readonly stack: string | undefined;
  readonly file: string;
  readonly place: string;
  readonly diskFull: boolean;
}

export function toFailure(error: Error): Failure {
  const base = { message: error.message, stack: error.stack, file: "", place: "", diskFull: false };
  if (error instanceof BackendCorruptError) {
    return { ...base, kind: "corrupt", file: error.file, place: error.place };
  }
  if (error instanceof BackendIoError) {
    return { ...base, kind: "io", file: error.file, diskFull: error.diskFull };
  }
  return { ...base, kind: error instanceof BackendClosedError ? "closed" : "other" };
}

export function fromFailure(failure: Failure): Error {
  const error = revive(failure);
  error.message = failure.message;
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}

function revive({ kind, file, place, diskFull, message }: Failure): Error {
  switch (kind) {
    case "corrupt":
      return new BackendCorruptError(file, place, message);
    case "io":
      return new BackendIoError(file, message, diskFull);
    case "closed":
      return new BackendClosedError();
    case "other":
      return new Error(message);
  }
}
