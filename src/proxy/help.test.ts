import assert from "node:assert/strict";
import { it } from "node:test";
import { type Command, runCommand } from "../lib/command-line/command.ts";
import { grpcProxyCommands } from "./grpc/grpc-proxy.ts";
import { gatewayCommands } from "./tcp/gateway.ts";

async function said(commands: Command, words: readonly string[]): Promise<string> {
  let text = "";
  const write = (more: string): void => {
    text += more;
  };
  await runCommand(commands, words, { out: write, err: write }, { helpEnd: "" });
  return text;
}

it("the proxies' help names the commands as they are typed", async () => {
  const gateway = await said(gatewayCommands, ["gateway", "start", "--help"]);
  assert.match(gateway, /^start the gateway\n\nUsage:\n {2}etcd gateway start \[flags\]\n\nFlags:\n/);
  assert.match(
    gateway,
    /--endpoints strings +comma separated etcd cluster endpoints \(default \[127\.0\.0\.1:2379\]\)/,
  );
  const above = await said(gatewayCommands, ["gateway", "nonsense"]);
  assert.match(above, /^gateway related command\n\nUsage:\n {2}etcd gateway \[command\]\n/);
  assert.match(above, /\nUse "etcd gateway \[command\] --help" for more information about a command\.\n$/);
  const proxy = await said(grpcProxyCommands({}), ["grpc-proxy", "start", "--help"]);
  assert.match(proxy, /^start the grpc proxy\n\nUsage:\n {2}etcd grpc-proxy start \[flags\]\n\nFlags:\n/);
});
