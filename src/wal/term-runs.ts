/**
 * Which term each entry of the log has, as a list of runs: needed to tell whether a snapshot mark agrees with the
 * entry at its index or replaces the log from there on.
 */

/** Terms change only with elections. Of more runs than this the oldest are forgotten. */
const runsMax = 4096;

export class TermRuns {
  readonly #firstIndexes: number[] = [];
  readonly #terms: number[] = [];

  /** Entry `index` has `term`; what was known of later ones no longer holds. */
  set(index: number, term: number): void {
    while (this.#firstIndexes.length > 0 && this.#firstIndexes.at(-1)! >= index) {
      this.#firstIndexes.pop();
      this.#terms.pop();
    }
    if (this.#terms.at(-1) === term) return;
    this.#firstIndexes.push(index);
    this.#terms.push(term);
    if (this.#terms.length > runsMax) {
      this.#firstIndexes.shift();
      this.#terms.shift();
    }
  }

  /** The term of entry `index`, which must not be beyond the last one that was set; undefined if not known. */
  at(index: number): number | undefined {
    for (let i = this.#terms.length - 1; i >= 0; i--) {
      if (this.#firstIndexes[i]! <= index) return this.#terms[i];
    }
    return undefined;
  }
}
