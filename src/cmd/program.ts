/** Which of its programs this one is to be: told by the name it was started under, or by the first word. */

export type ProgramName = "server" | "ctl" | "utl" | "gateway" | "grpc-proxy";

export interface Program {
  readonly name: ProgramName;
  /** The words for that program. */
  readonly args: readonly string[];
  /** Started under the program's own name, as etcd's is, and not by a word. */
  readonly isNamed: boolean;
}

const byName: Readonly<Record<string, ProgramName>> = { etcd: "server", etcdctl: "ctl", etcdutl: "utl" };
const byWord: Readonly<Record<string, ProgramName>> = {
  ctl: "ctl",
  etcdctl: "ctl",
  utl: "utl",
  etcdutl: "utl",
  gateway: "gateway",
  "grpc-proxy": "grpc-proxy",
};

/** `argv0` is the name the program was started under, perhaps with a path; `args` are the words after it. */
export function pickProgram(argv0: string, args: readonly string[]): Program {
  const name = argv0
    .split(/[\\/]/)
    .at(-1)
    ?.replace(/\.exe$/i, "");
  const named = name !== undefined && Object.hasOwn(byName, name) ? byName[name] : undefined;
  // Under the name etcdctl every word is etcdctl's, "utl" too.
  if (named === "ctl" || named === "utl") return { name: named, args, isNamed: true };
  const [word = "", ...rest] = args;
  const worded = Object.hasOwn(byWord, word) ? byWord[word] : undefined;
  return worded
    ? { name: worded, args: rest, isNamed: false }
    : { name: "server", args, isNamed: named === "server" };
}
