/** How etcdctl ends when something is wrong, and with which status. */

export const ExitCode = {
  success: 0,
  error: 1,
  badConnection: 2,
  invalidInput: 3,
  badFeature: 4,
  interrupted: 5,
  badArguments: 128,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Ends the program: `Error: message` on standard error, and that status. */
export class Exit extends Error {
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Exit";
    this.status = status;
  }
}

/** Ends the program without a word: all that is to be said has been. */
export class QuietExit extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.name = "QuietExit";
    this.status = status;
  }
}

export function badArguments(message: string): never {
  throw new Exit(ExitCode.badArguments, message);
}

/** `work`, whose failure ends the program with `status`, and `prefix` before what is wrong. */
export async function orExit<T>(
  work: Promise<T>,
  status: number = ExitCode.error,
  wording: (message: string) => string = (message) => message,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Exit || error instanceof QuietExit) throw error;
    throw new Exit(status, wording(error instanceof Error ? error.message : String(error)), { cause: error });
  }
}
