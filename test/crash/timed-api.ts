/** The calls of the load with how each ended, and how long that took. */
import { Api, type Change } from "./api.ts";

export interface Ending {
  /** `performance.now()` when it was sent and when it ended. */
  readonly sentAt: number;
  readonly endedAt: number;
  readonly error: string | undefined;
}

/** The endings of writes. */
export class Endings {
  readonly all: Ending[] = [];

  async of<T>(call: Promise<T>): Promise<T> {
    const sentAt = performance.now();
    const note = (error: string | undefined) => this.all.push({ sentAt, endedAt: performance.now(), error });
    try {
      const result = await call;
      note(undefined);
      return result;
    } catch (error) {
      note((error as Error).message);
      throw error;
    }
  }

  /** The writes that were acknowledged between two times. */
  acknowledged(fromMs: number, untilMs: number): number {
    return this.all.filter(({ error, endedAt }) => !error && endedAt >= fromMs && endedAt < untilMs).length;
  }

  get longestMs(): number {
    return this.all.reduce((longest, { sentAt, endedAt }) => Math.max(longest, endedAt - sentAt), 0);
  }
}

export class TimedApi extends Api {
  readonly #endings: Endings;

  constructor(url: string, endings: Endings) {
    super(url);
    this.#endings = endings;
  }

  override change(changes: readonly Change[]): Promise<number> {
    return this.#endings.of(super.change(changes));
  }
}
