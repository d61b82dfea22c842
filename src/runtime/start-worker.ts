/**
 * Starts a worker thread from one of our own source files. In a program made by `bun build --compile` a bundled
 * module's `import.meta.url` is that of the bundle, at the root of a virtual folder, and a further entry point lies
 * beside it under its path in src/: so the same file has two addresses.
 */
import { Worker } from "node:worker_threads";

/** The root of that virtual folder on Unix and on Windows. */
const isCompiled = /^file:\/\/\/(?:\$bunfs|[A-Z]:\/(?:~|%7E)BUN)\//.test(import.meta.url);

/** In the npm package every file is the JavaScript that was made of it. */
const isBuilt = !isCompiled && import.meta.url.endsWith(".js");

/** The address of a source file, given its path in src/. A worker's file must also be named as an entry point of the
 * compiled program (compile.ts). */
export function sourceUrl(pathInSrc: string): URL {
  const path = isBuilt ? pathInSrc.replace(/\.ts$/, ".js") : pathInSrc;
  return new URL(`${isCompiled ? "./" : "../"}${path}`, import.meta.url);
}

export function startWorker(pathInSrc: string, workerData: unknown): Worker {
  return new Worker(sourceUrl(pathInSrc), { workerData });
}
