/** A promise that was broken. */
export class Violation extends Error {
  /** Which one. */
  readonly promise: string;

  constructor(promise: string, what: string) {
    super(`${promise}: ${what}`);
    this.name = "Violation";
    this.promise = promise;
  }
}
