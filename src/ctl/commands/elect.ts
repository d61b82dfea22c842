/** `elect`: stands for election with a proposal, or with -l shows who leads. */
import { Election, observe } from "../../client/concurrency/election.ts";
import { Session } from "../../client/concurrency/session.ts";
import { range } from "../../client/methods/kv.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, Exit, ExitCode, orExit } from "../exit.ts";
import { aborted, untilSignal } from "../signals.ts";

const ttlSeconds = 60;

export async function elect(call: CtlCall): Promise<undefined> {
  const [name, proposal] = call.args;
  const { length } = call.args;
  if (name === undefined || length > 2) {
    return badArguments("elect takes one election name argument and an optional proposal argument");
  }
  const client = await call.client();
  const listens = call.flags.bool("listen");
  if (proposal === undefined) {
    if (!listens) badArguments("no proposal argument but -l not set");
    await watchLeaders(call, client, name);
  } else {
    if (listens) badArguments("proposal given but -l is set");
    await campaign(call, client, name, proposal);
  }
}

type ConnectedClient = Awaited<ReturnType<CtlCall["client"]>>;

async function watchLeaders(call: CtlCall, client: ConnectedClient, name: string): Promise<void> {
  const signal = untilSignal();
  try {
    for await (const leader of observe(client, name, signal)) await call.display("get", leader);
  } catch (error) {
    if (error instanceof Exit) throw error;
    // Told below.
  }
  if (!signal.aborted) throw new Exit(ExitCode.error, "elect: observer lost");
}

async function campaign(
  call: CtlCall,
  client: ConnectedClient,
  name: string,
  proposal: string,
): Promise<void> {
  const session = await orExit(Session.open(client, ttlSeconds));
  const election = new Election(session, name);
  const signal = untilSignal();
  await orExit(election.campaign(proposal, signal));
  await call.display(
    "get",
    await orExit(client.unary(range, { key: Buffer.from(election.key) }, { signal })),
  );
  const isOver = await Promise.race([
    aborted(signal).then(() => false),
    session.ended.then(() => !signal.aborted),
  ]);
  if (isOver) throw new Exit(ExitCode.error, "elect: session expired");
  await orExit(election.resign());
}
