/** `context`: lists the contexts, or makes one the current. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { CtlCall } from "../call.ts";
import { contextPath, readContexts } from "../context-file.ts";
import { badArguments, Exit, ExitCode } from "../exit.ts";

export async function context({ args, io }: CtlCall): Promise<undefined> {
  const path = contextPath(io);
  if (path === undefined || !existsSync(path)) {
    throw new Exit(ExitCode.error, `there is no file with contexts at ${path ?? "any place"}`);
  }
  const { contexts, current } = await readContexts(path);
  const [name] = args;
  if (name === undefined) {
    for (const one of contexts.keys()) io.out(`${one === current ? "*" : " "} ${one}\n`);
    return;
  }
  if (args.length > 1) badArguments("context takes one name");
  if (!contexts.has(name))
    badArguments(`there is no context ${name}: it is one of ${[...contexts.keys()].join(", ")}`);
  await makeCurrent(path, name);
  io.out(`${name} is the current context\n`);
}

/** What else stands in the file, comments too, stays as it is. */
async function makeCurrent(path: string, name: string): Promise<void> {
  const { parseDocument } = await import("yaml");
  const document = parseDocument(readFileSync(path, "utf8"));
  document.set("current-context", name);
  writeFileSync(`${path}.new`, document.toString(), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
