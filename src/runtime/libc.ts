/**
 * Calls into the C library, for the few things that no runtime offers. Bun and Deno can make them, Node cannot; Windows
 * has no such library.
 */

/** How Bun's and Deno's `dlopen` name the types of C that are used here. */
export type CType = "i32" | "u32" | "u64" | "buffer";
export interface CFunction {
  readonly parameters: readonly CType[];
  readonly result: "i32" | "i64";
}
export type CFunctions<Name extends string> = Record<Name, (...args: (number | Uint8Array)[]) => number>;

/** glibc's name, musl's (of which there is one for each processor), and that of macOS. */
const libraryNames = (): string[] =>
  process.platform === "darwin"
    ? ["libSystem.B.dylib"]
    : ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`, "libc.so"];

/** The functions of that name; undefined where the C library cannot be called. */
export async function openLibc<Name extends string>(
  functions: Readonly<Record<Name, CFunction>>,
): Promise<CFunctions<Name> | undefined> {
  if (process.platform === "win32") return undefined;
  const open = await opener(functions);
  for (const name of libraryNames()) {
    try {
      return open?.(name) as CFunctions<Name> | undefined;
    } catch {
      // The next one may be there.
    }
  }
  return undefined;
}

type Raw = (...args: (number | bigint | Uint8Array)[]) => number | bigint;
type Opener = (library: string) => Record<string, (...args: (number | Uint8Array)[]) => number>;

async function opener(functions: Readonly<Record<string, CFunction>>): Promise<Opener | undefined> {
  if ("bun" in process.versions) {
    const { dlopen } = await import("bun:ffi");
    const declared = Object.entries(functions).map(([name, { parameters, result }]) => [
      name,
      { args: parameters.map((type) => (type === "buffer" ? "ptr" : type)), returns: result },
    ]);
    return (library) => wrap(dlopen(library, Object.fromEntries(declared)).symbols, functions);
  }
  const deno = (globalThis as { Deno?: { dlopen?: (name: string, symbols: object) => { symbols: object } } })[
    "Deno"
  ];
  if (!deno?.dlopen) return undefined;
  return (library) => wrap(deno.dlopen!(library, functions).symbols, functions);
}

/** Deno wants 64-bit numbers as bigint, and both give them back as such. */
function wrap(symbols: object, functions: Readonly<Record<string, CFunction>>) {
  const wrapped: Record<string, (...args: (number | Uint8Array)[]) => number> = {};
  for (const [name, { parameters }] of Object.entries(functions)) {
    const raw = (symbols as Record<string, Raw>)[name]!;
    wrapped[name] = (...args) =>
      Number(raw(...args.map((arg, at) => (parameters[at] === "u64" ? BigInt(arg as number) : arg))));
  }
  return wrapped;
}
