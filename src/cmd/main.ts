/** Where every program of the executable begins. Loads only what the one that is asked for needs. */
import { writeSync } from "node:fs";
import { pickProgram } from "./program.ts";

const output = {
  out: (text: string): void => {
    writeSync(1, text);
  },
  err: (text: string): void => {
    writeSync(2, text);
  },
};

async function main(): Promise<number> {
  const { name, args, isNamed } = pickProgram(process.argv0, process.argv.slice(2));
  if (name === "utl") {
    const { runUtl } = await import("../utl/main.ts");
    return runUtl(args, output);
  }
  if (name === "gateway") {
    const { gatewayCommands } = await import("../proxy/tcp/gateway.ts");
    const { runCommand } = await import("../lib/command-line/command.ts");
    return runCommand(gatewayCommands, ["gateway", ...args], output, { helpEnd: "" });
  }
  if (name === "ctl") {
    const { runCtl } = await import("../ctl/main.ts");
    const { processIo } = await import("../ctl/io.ts");
    const io = processIo();
    // Under etcdctl's name it says what etcdctl says, and nothing more.
    return runCtl(args, isNamed ? { ...io, isTerminal: false } : io, { showsBeyond: !isNamed });
  }
  if (name === "grpc-proxy") {
    const { runGrpcProxy } = await import("./grpc-proxy.ts");
    return runGrpcProxy(args, output);
  }
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-version")) {
    const { versionText } = await import("./version.ts");
    writeSync(1, versionText());
    return 0;
  }
  const { runServer } = await import("./run-server.ts");
  return runServer(args);
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    writeSync(2, `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(2);
  },
);
