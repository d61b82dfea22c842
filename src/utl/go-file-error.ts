/** Errors of files in Go's words, which scripts may look for. */

const words: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
  ENOSPC: "no space left on device",
  EROFS: "read-only file system",
  EIO: "input/output error",
};

/** `error` as Go says it for an operation on a file; any other error as it is. */
export function goFileError(operation: string, path: string, error: unknown): Error {
  const code = (error as { code?: unknown } | undefined)?.code;
  const text = typeof code === "string" && Object.hasOwn(words, code) ? words[code] : undefined;
  if (text !== undefined) return new Error(`${operation} ${path}: ${text}`, { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}
