/** The little that we use of Bun's calls into C, whose own type declarations are not installed. */

declare module "bun:ffi" {
  export function dlopen(
    library: string,
    symbols: Readonly<Record<string, { args: readonly string[]; returns: string }>>,
  ): { readonly symbols: Readonly<Record<string, (...args: unknown[]) => number | bigint>> };
}
