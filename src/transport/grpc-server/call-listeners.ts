/** Who wants to know of a call's fate. What they throw is told to `onError` and stops nobody else. */
export class CallListeners {
  readonly onCancel: (() => void)[] = [];
  readonly onDrain: (() => void)[] = [];
  /** `write` has said false, and nobody was told yet that there is room again. */
  wantsDrain = false;

  cancelled(onError: (cause: unknown) => void): void {
    runAll(this.onCancel, onError);
  }

  drained(onError: (cause: unknown) => void): void {
    runAll(this.onDrain, onError);
  }
}

function runAll(callbacks: readonly (() => void)[], onError: (cause: unknown) => void): void {
  for (const callback of callbacks) {
    try {
      callback();
    } catch (cause) {
      onError(cause);
    }
  }
}
