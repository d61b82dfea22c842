/** What a suite prints: a line for each check, and at its end `N passed, N failed`. */
import { killChildren } from "./exec.ts";

/** Thrown by `skip`; a check that throws it is neither passed nor failed. */
class Skipped extends Error {}

/** Leaves a check because what it needs is not there. A suite says so in its output, and CI counts it. */
export function skip(why: string): never {
  throw new Skipped(why);
}

export interface ReportOptions {
  /** Comes before each name. */
  readonly prefix?: string;
  /** Which checks run. */
  readonly filter?: RegExp | undefined;
  /** Checks, by name with prefix, whose failure counts as left out, each with the reason. */
  readonly mayFail?: ReadonlyMap<string, string>;
}

export class Report {
  #passed = 0;
  #skipped = 0;
  readonly failures: string[] = [];
  readonly #prefix: string;
  readonly #filter: RegExp | undefined;
  readonly #mayFail: ReadonlyMap<string, string>;

  constructor(options: ReportOptions = {}) {
    this.#prefix = options.prefix ? `${options.prefix} ` : "";
    this.#filter = options.filter;
    this.#mayFail = options.mayFail ?? new Map();
  }

  pass(name: string, note = ""): void {
    this.#passed++;
    console.log(`PASS ${this.#prefix}${name}${note ? `  ${note}` : ""}`);
  }

  fail(name: string, detail: string): void {
    const excuse = this.#mayFail.get(this.#prefix + name);
    if (excuse !== undefined) {
      this.skipped(name, `fails: ${excuse}`);
      return;
    }
    this.failures.push(`${this.#prefix}${name}`);
    console.log(`FAIL ${this.#prefix}${name}\n${indent(detail)}`);
  }

  skipped(name: string, why: string): void {
    this.#skipped++;
    console.log(`SKIP ${this.#prefix}${name}  ${why}`);
  }

  /** Runs one check. It fails if `body` throws or does not end within `timeoutMs`. */
  async check(name: string, body: () => unknown, timeoutMs = 60_000): Promise<void> {
    if (this.#filter && !this.#filter.test(this.#prefix + name)) return;
    const started = performance.now();
    try {
      await withTimeout(Promise.resolve(body()), timeoutMs);
      this.pass(name, `(${Math.round(performance.now() - started)} ms)`);
    } catch (error) {
      if (error instanceof Skipped) this.skipped(name, error.message);
      else this.fail(name, error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }

  /** Counts lines of another program: `PASS name`, `FAIL name: why`. Anything else is ignored. */
  countLine(line: string): void {
    const match = /^(PASS|FAIL) (\S.*)$/.exec(line);
    if (!match) return;
    const [name = "", ...detail] = (match[2] as string).split(": ");
    if (match[1] === "PASS") this.pass(match[2] as string);
    else this.fail(name, detail.join(": ").replaceAll("\\n", "\n"));
  }

  /** Takes over what others counted. */
  addAll(reports: readonly Report[]): void {
    for (const report of reports) {
      this.#passed += report.#passed;
      this.#skipped += report.#skipped;
      this.failures.push(...report.failures);
    }
  }

  /** Prints the last lines, sets the exit status, and ends what was left running. A suite in which nothing ran has failed. */
  finish(): void {
    for (const failure of this.failures) console.log(`failed: ${failure}`);
    if (this.#skipped > 0) console.log(`${this.#skipped} skipped`);
    console.log(`${this.#passed} passed, ${this.failures.length} failed`);
    process.exitCode = this.failures.length > 0 || this.#passed === 0 ? 1 : 0;
    killChildren();
  }
}

/** Rejects if `promise` takes longer than that. */
export async function withTimeout<T>(promise: Promise<T>, timeoutMs: number, what = "it"): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until `condition` holds, looking again every `everyMs`. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  options: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<void> {
  const deadline = performance.now() + (options.timeoutMs ?? 60_000);
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? 10));
  }
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `     ${line}`)
    .join("\n");
}
