/** `member add`, `list`, `promote`, `remove` and `update`. */
import * as methods from "../../client/methods/cluster.ts";
import { parseEtcdUrl } from "../../lib/etcd-url.ts";
import { goQuote } from "../../lib/go-quote.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, Exit, ExitCode, orExit } from "../exit.ts";
import { isSerializable } from "../operations.ts";
import { parseMemberId } from "../words.ts";

export async function add(call: CtlCall): Promise<undefined> {
  const { args, flags, io } = call;
  const [name] = args;
  if (name === undefined) return badArguments("member name not provided");
  if (args.length > 1) {
    const urls = args.filter((word) => word.toLowerCase().startsWith("http"));
    badArguments(`too many arguments${urls.map((url) => `, did you mean --peer-urls=${url}`).join("")}`);
  }
  const peerUrls = flags.string("peer-urls");
  if (peerUrls === "") badArguments("member peer urls not provided");
  const client = await call.client();
  const peerURLs = checkedUrls(peerUrls);
  const answer = await orExit(
    client.unary(methods.memberAdd, { peerURLs, isLearner: flags.bool("learner") }, call.timeout),
  );
  await call.display("memberAdd", answer);
  if (call.format !== "simple") return;
  const cluster = answer.members.flatMap((member) =>
    member.peerURLs.map((url) => `${member.ID === answer.member?.ID ? name : member.name}=${url}`),
  );
  io.out(
    `\nETCD_NAME=${goQuote(name)}\nETCD_INITIAL_CLUSTER=${goQuote(cluster.join(","))}\n` +
      `ETCD_INITIAL_ADVERTISE_PEER_URLS=${goQuote(peerUrls)}\nETCD_INITIAL_CLUSTER_STATE="existing"\n`,
  );
}

/** As they were given: the server puts them in order. */
function checkedUrls(list: string): string[] {
  const urls = list.split(",");
  try {
    for (const url of urls) parseEtcdUrl(url);
  } catch (error) {
    throw new Exit(ExitCode.error, (error as Error).message);
  }
  return urls;
}

function onlyId({ args }: CtlCall): bigint {
  const [word] = args;
  if (word === undefined || args.length !== 1) return badArguments("member ID is not provided");
  return parseMemberId(word);
}

export async function remove(call: CtlCall): Promise<undefined> {
  const id = onlyId(call);
  const client = await call.client();
  const response = await orExit(client.unary(methods.memberRemove, { ID: id }, call.timeout));
  await call.display("memberRemove", { id, response });
}

export async function update(call: CtlCall): Promise<undefined> {
  const id = onlyId(call);
  const peerUrls = call.flags.string("peer-urls");
  if (peerUrls === "") badArguments("member peer urls not provided");
  const client = await call.client();
  const peerURLs = checkedUrls(peerUrls);
  const response = await orExit(client.unary(methods.memberUpdate, { ID: id, peerURLs }, call.timeout));
  await call.display("memberUpdate", { id, response });
}

export async function promote(call: CtlCall): Promise<undefined> {
  const id = onlyId(call);
  const client = await call.client();
  const response = await orExit(client.unary(methods.memberPromote, { ID: id }, call.timeout));
  await call.display("memberPromote", { id, response });
}

export async function list(call: CtlCall): Promise<undefined> {
  const linearizable = !isSerializable(call.flags.string("consistency"), "l");
  const client = await call.client();
  await call.display(
    "memberList",
    await orExit(client.unary(methods.memberList, { linearizable }, call.timeout)),
  );
}
