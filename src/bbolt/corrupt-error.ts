/** A file that is not a bbolt database, or not a whole one. The message names the file, and the page where one is known. */
export class BboltCorruptError extends Error {
  readonly file: string;
  readonly page: number | undefined;

  constructor(file: string, page: number | undefined, what: string) {
    super(page === undefined ? `bbolt: ${file}: ${what}` : `bbolt: ${file}: page ${page}: ${what}`);
    this.name = "BboltCorruptError";
    this.file = file;
    this.page = page;
  }
}
