/** `lease grant`, `revoke`, `timetolive`, `list` and `keep-alive`. */
import * as methods from "../../client/methods/lease.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, ExitCode, orExit } from "../exit.ts";
import { parseInteger, parseLeaseId } from "../words.ts";

export async function grant(call: CtlCall): Promise<undefined> {
  const [word] = call.args;
  if (word === undefined || call.args.length !== 1)
    return badArguments("lease grant command needs TTL argument");
  let TTL: bigint;
  try {
    TTL = parseInteger(word, 10);
  } catch (error) {
    return badArguments(`bad TTL (${(error as Error).message})`);
  }
  const client = await call.client();
  const answer = await orExit(
    client.unary(methods.leaseGrant, { TTL }, call.timeout),
    ExitCode.error,
    (message) => `failed to grant lease (${message})`,
  );
  await call.display("grant", answer);
}

function onlyId(call: CtlCall, needs: string): bigint {
  const [word] = call.args;
  if (word === undefined || call.args.length !== 1) return badArguments(needs);
  return parseLeaseId(word);
}

export async function revoke(call: CtlCall): Promise<undefined> {
  const id = onlyId(call, "lease revoke command needs 1 argument");
  const client = await call.client();
  const response = await orExit(
    client.unary(methods.leaseRevoke, { ID: id }, call.timeout),
    ExitCode.error,
    (message) => `failed to revoke lease (${message})`,
  );
  await call.display("revoke", { id, response });
}

export async function timeToLive(call: CtlCall): Promise<undefined> {
  if (call.args.length !== 1) badArguments("lease timetolive command needs lease ID as argument");
  const client = await call.client();
  const id = onlyId(call, "");
  const keys = call.flags.bool("keys");
  const response = await orExit(
    client.unary(methods.leaseTimeToLive, { ID: id, keys }),
    ExitCode.badConnection,
  );
  await call.display("timeToLive", { response, withKeys: keys });
}

export async function list(call: CtlCall): Promise<undefined> {
  const client = await call.client();
  await call.display("leases", await orExit(client.unary(methods.leaseLeases, {}), ExitCode.badConnection));
}

export async function keepAlive(call: CtlCall): Promise<undefined> {
  const id = onlyId(call, "lease keep-alive command needs lease ID as argument");
  const client = await call.client();
  const keeper = await import("../../client/lease-keeper.ts");
  if (call.flags.bool("once")) {
    await call.display("keepAlive", await orExit(keeper.keepAliveOnce(client, id), ExitCode.badConnection));
    return;
  }
  const forever = new AbortController().signal;
  try {
    for await (const answer of keeper.keepAlive(client, id, forever)) await call.display("keepAlive", answer);
  } catch {
    // It cannot go on: told below.
  }
  if (call.format === "simple") {
    call.io.out(`lease ${id.toString(16).padStart(16, "0")} expired or revoked.\n`);
  }
}
