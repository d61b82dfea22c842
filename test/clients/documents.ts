/** The commands of documents, run as they stand against a server: between marks, block after block in one shell. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { type Report, skip } from "../support/report.ts";
import { ServerProcess } from "../support/server-process.ts";
import { etcdFolder } from "../support/tools.ts";
import { commandsOf, ScriptRun } from "./script-run.ts";

export interface DocumentSuite {
  readonly program: string;
  readonly folder: string;
  readonly report: Report;
}

/** What has to come out, in this order. */
const expected: Readonly<Record<string, readonly RegExp[]>> = {
  "docs/recipes.md": [
    /^services\/web\/10\.0\.0\.7:8080$/m,
    /^DELETE\nservices\/web\/10\.0\.0\.7:8080$/m,
    /^only one of us is here$/m,
    /^leader\/web\/[0-9a-f]+\nnode-1$/m,
    /^SUCCESS\n\nOK$/m,
  ],
  "docs/backup.md": [
    /^Snapshot saved at backup\.db$/m,
    /│ +3\.7\.0 │/,
    /^no problems found$/m,
    /^\d+, \d+, -1$/m,
  ],
};

export async function documentChecks({ program, folder, report }: DocumentSuite): Promise<void> {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const isEtcd = basename(program) === "etcd";
  for (const name of ["etcdctl", "etcdutl"]) {
    symlinkSync(isEtcd ? join(await etcdFolder(), name) : program, join(bin, name));
  }
  const server = await ServerProcess.ready({ program, folder: join(folder, "server") });
  const env = { PATH: `${bin}:${process.env["PATH"]}`, ETCDCTL_ENDPOINTS: `127.0.0.1:${server.clientPort}` };
  for (const [path, patterns] of Object.entries(expected)) {
    await report.check(`the commands of ${path}`, async () => {
      if (isEtcd && path === "docs/backup.md") skip("etcdutl has no check");
      const cwd = join(folder, basename(path));
      mkdirSync(cwd);
      const run = new ScriptRun(commandsOf(path, "run"), cwd, env);
      try {
        const { status, output } = await run.ended;
        assert.equal(status, 0, output);
        let rest = output;
        for (const pattern of patterns) {
          const found = pattern.exec(rest);
          assert.ok(found, `${pattern} in\n${output}`);
          rest = rest.slice(found.index + found[0].length);
        }
      } finally {
        await run.end();
      }
    });
  }
  await server.stop();
}
