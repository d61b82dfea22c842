/**
 * A clock for measuring what happens hundreds of thousands of times a second. Reading the machine's clock costs as much as
 * a hundredth of a whole request, so within one callback of the event loop only the first few questions read it, and then
 * one in sixty-four: who does little gets exact times, who does much gets times that are some tens of microseconds old. (A
 * get asks five times, and takes two microseconds.)
 */
import type { Clock } from "./clock.ts";

const exactQuestions = 4;
const questionsPerRead = 64;

export class TurnClock {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #nowMs = 0;
  #questions = 0;
  readonly #endTurn = () => {
    this.#questions = 0;
  };

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Milliseconds; never goes back. */
  now(): number {
    const question = this.#questions++;
    if (question >= exactQuestions && question % questionsPerRead !== 0) return this.#nowMs;
    if (question === 0) queueMicrotask(this.#endTurn);
    this.#nowMs = this.#clock.monotonicMs();
    return this.#nowMs;
  }
}
