/** What a load has shown: how long each request took, and what went wrong. */

export interface LoadReport {
  readonly perSecond: number;
  readonly slowestSeconds: number;
  readonly stddevSeconds: number;
  /** How often each error came. */
  readonly errors: ReadonlyMap<string, number>;
}

export class LoadRecorder {
  readonly #startedMs = performance.now();
  readonly #seconds: number[] = [];
  readonly #errors = new Map<string, number>();

  /** Runs one request. */
  async measure(work: () => Promise<unknown>): Promise<void> {
    const begun = performance.now();
    try {
      await work();
      this.#seconds.push((performance.now() - begun) / 1000);
    } catch (error) {
      const { message } = error as Error;
      this.#errors.set(message, (this.#errors.get(message) ?? 0) + 1);
    }
  }

  report(): LoadReport {
    const count = this.#seconds.length;
    const total = this.#seconds.reduce((sum, one) => sum + one, 0);
    const average = count === 0 ? 0 : total / count;
    const squares = this.#seconds.reduce((sum, one) => sum + (one - average) ** 2, 0);
    const elapsed = (performance.now() - this.#startedMs) / 1000;
    return {
      perSecond: count / elapsed,
      slowestSeconds: this.#seconds.reduce((most, one) => Math.max(most, one), 0),
      stddevSeconds: count === 0 ? 0 : Math.sqrt(squares / count),
      errors: this.#errors,
    };
  }
}
