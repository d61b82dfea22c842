/** Runs h2spec against the client port and judges each of its cases. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { exec } from "../support/exec.ts";
import type { Report } from "../support/report.ts";
import { ServerProcess } from "../support/server-process.ts";
import { printTable } from "../support/table.ts";
import { tool } from "../support/tools.ts";

export interface H2specCase {
  /** h2spec's own short name of the section: "http2/6.9.1". */
  readonly section: string;
  readonly title: string;
  readonly verdict: "pass" | "fail" | "skip";
  readonly detail: string;
}

interface Options {
  readonly program: string;
  readonly folder: string;
  readonly report: Report;
  /** Cases that may fail: lines of `section: title`. */
  readonly allowed: ReadonlySet<string>;
  readonly strict: boolean;
}

export async function runH2spec(options: Options): Promise<void> {
  const server = await ServerProcess.ready({
    program: options.program,
    folder: join(options.folder, "h2spec"),
  });
  const file = join(options.folder, "h2spec.xml");
  const args = ["-h", "127.0.0.1", "-p", String(server.clientPort), "-j", file];
  const run = await exec(await tool("h2spec"), options.strict ? [...args, "--strict"] : args, {
    timeoutMs: 600_000,
  });
  if (run.timedOut) throw new Error("h2spec did not end within 10 minutes");
  const cases = parseJunit(readFileSync(file, "utf8"));

  const sections = Map.groupBy(cases, (c) => c.section);
  printTable(
    ["section", "cases", "passed", "skipped", "failed"],
    [...sections].map(([section, all]) => {
      const count = (verdict: string) => all.filter((c) => c.verdict === verdict).length;
      return [section, all.length, count("pass"), count("skip"), count("fail")];
    }),
  );
  for (const c of cases) judge(c, options);
  await options.report.check("the server still answers after h2spec", async () => {
    await server.ready(5_000 + performance.now() - server.startedAt);
    await server.stop();
  });
}

function judge(c: H2specCase, { report, allowed }: Options): void {
  const name = `${c.section}: ${c.title}`;
  if (c.verdict === "pass") report.pass(name);
  else if (c.verdict === "skip") report.skipped(name, c.detail || "h2spec skipped it");
  else if (allowed.has(name)) report.skipped(name, "fails, as allowed");
  else report.fail(name, c.detail);
}

/** What `h2spec -j` writes: a testcase holds an `error` with what was expected and an actual frame, or `skipped`. */
export function parseJunit(xml: string): H2specCase[] {
  const pattern = /<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  return [...xml.matchAll(pattern)].map(([, section = "", title = "", body = ""]) => {
    const verdict = /<(error|failure)/.test(body) ? "fail" : /<skipped/.test(body) ? "skip" : "pass";
    const detail = unescapeXml(body.replace(/<[^>]*>/g, "").trim());
    return { section: unescapeXml(section), title: unescapeXml(title), verdict, detail };
  });
}

function unescapeXml(text: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g, (all, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    return hex ? String.fromCodePoint(Number.parseInt(hex, 16)) : (named[name] ?? all);
  });
}
