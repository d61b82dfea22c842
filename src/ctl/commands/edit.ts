/** `edit`: a value in an editor, written back only if nobody else has written meanwhile. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { range, txn } from "../../client/methods/kv.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, Exit, ExitCode, orExit } from "../exit.ts";
import { bytesOf } from "../words.ts";

const equal = 0;
const modTarget = 2;

export async function edit(call: CtlCall): Promise<undefined> {
  const { args, io } = call;
  const [word] = args;
  if (word === undefined || args.length !== 1) return badArguments("edit takes one key");
  const key = bytesOf(word);
  const client = await call.client();
  const { kvs } = await orExit(client.unary(range, { key }, call.timeout));
  const [old] = kvs;
  const before = old?.value ?? new Uint8Array(0);
  const value = await orExit(edited(io.env, before));
  if (Buffer.compare(value, before) === 0) {
    io.out("nothing changed\n");
    return;
  }
  const compare = [{ result: equal, target: modTarget, key, mod_revision: old?.mod_revision ?? 0n }];
  const success = [{ request_put: { key, value, ignore_lease: old !== undefined } }];
  const { succeeded, header } = await orExit(client.unary(txn, { compare, success }, call.timeout));
  if (!succeeded)
    throw new Exit(ExitCode.error, `${word} was changed by somebody else meanwhile; nothing is written`);
  io.out(`revision ${header?.revision}\n`);
}

/** What is left in the file when the editor ends well. A line break that editors add behind the last line is not kept. */
async function edited(env: CtlCall["io"]["env"], before: Uint8Array): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "etclite-edit-"));
  try {
    const path = join(folder, "value");
    writeFileSync(path, before, { mode: 0o600 });
    const editor = env["VISUAL"] || env["EDITOR"] || "vi";
    const status = await new Promise<number | null>((resolve, reject) => {
      const child = spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", path], { stdio: "inherit" });
      child.once("error", reject);
      child.once("exit", resolve);
    });
    if (status !== 0) throw new Error(`${editor} ended with status ${status}; nothing is written`);
    const after = readFileSync(path);
    const hadEnd = before.at(-1) === 10;
    return !hadEnd && after.at(-1) === 10 && before.length > 0 ? after.subarray(0, -1) : after;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
