/** The client programs that are not TypeScript: builds them, or fetches what they need, into the tools folder. */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mustExec } from "../support/exec.ts";
import { repository, toolsFolder } from "../support/paths.ts";
import { goProgram, hashOf } from "../support/tools.ts";

export interface ClientProgram {
  readonly program: string;
  /** Come before the endpoint and the pattern of the checks to run. */
  readonly args: readonly string[];
}

export async function goClient(): Promise<ClientProgram> {
  return { program: await goProgram("test/clients/go"), args: [] };
}

/** A virtual environment with the packages that requirements.txt pins. */
export async function pythonClient(): Promise<ClientProgram> {
  const source = join(repository, "test", "clients", "python");
  const folder = join(toolsFolder, `clients-python-${hashOf(source)}`);
  const python = join(folder, "bin", "python");
  const marker = join(folder, "ready");
  if (!existsSync(marker)) {
    console.error("preparing Python's etcd3");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(toolsFolder, { recursive: true });
    await mustExec("python3", ["-m", "venv", folder], { timeoutMs: 120_000 });
    const install = ["-m", "pip", "install", "--quiet", "-r", join(source, "requirements.txt")];
    await mustExec(python, install, { timeoutMs: 300_000 });
    mkdirSync(marker);
  }
  return { program: python, args: ["-u", join(source, "checks.py")] };
}

/** A jar of our checks and a folder with jetcd and all that it needs. */
export async function javaClient(): Promise<ClientProgram> {
  const source = join(repository, "test", "clients", "java");
  const folder = join(toolsFolder, `clients-java-${hashOf(source)}`);
  if (!existsSync(folder)) {
    console.error("building the jetcd checks");
    const part = `${folder}.${process.pid}`;
    const args = ["-q", "-B", "-f", join(source, "pom.xml"), `-DbuildDirectory=${part}`, "package"];
    await mustExec("mvn", args, { timeoutMs: 600_000 });
    renameSync(part, folder);
  }
  const classPath = [join(folder, "classes"), join(folder, "lib", "*")].join(":");
  return { program: "java", args: ["-cp", classPath, "etclite.Checks"] };
}
