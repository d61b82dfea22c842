/**
 * What can go wrong in a backend. None of these is for clients: the server stops serving, says why, and exits.
 */

/** The file is damaged. `message` names the file and the place. */
export class BackendCorruptError extends Error {
  readonly file: string;
  /** Which row, page or rule: "log row 17", "key \\"a\\" in cur". */
  readonly place: string;

  constructor(file: string, place: string, what: string, cause?: unknown) {
    super(`backend: ${what} (${place}) in ${file}`, cause === undefined ? undefined : { cause });
    this.name = "BackendCorruptError";
    this.file = file;
    this.place = place;
  }
}

/** The operating system refused: disk full, read error, no permission. */
export class BackendIoError extends Error {
  readonly file: string;
  /** True when the disk, or a quota on it, is full. */
  readonly diskFull: boolean;

  constructor(file: string, what: string, diskFull: boolean, cause?: unknown) {
    super(`backend: ${what} in ${file}`, cause === undefined ? undefined : { cause });
    this.name = "BackendIoError";
    this.file = file;
    this.diskFull = diskFull;
  }
}

/** The backend was closed, or an earlier write failed. */
export class BackendClosedError extends Error {
  constructor(what = "closed") {
    super(`backend: ${what}`);
    this.name = "BackendClosedError";
  }
}
