/** `get`. */
import type { RangeResponse } from "../../client/messages/kv.ts";
import { range, rangeStream } from "../../client/methods/kv.ts";
import { revisionAt, timeFrom } from "../at-time.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, orExit } from "../exit.ts";
import { getRequest } from "../operations.ts";

export async function get(call: CtlCall): Promise<undefined> {
  const { flags } = call;
  const asked = getRequest(call);
  const time = flags.string("at-time");
  if (time !== "" && flags.isGiven("rev")) {
    badArguments("`--at-time` and `--rev` cannot be set at the same time, choose one");
  }
  const timeMs = time === "" ? undefined : timeFrom(time, Date.now());
  const client = await call.client();
  const revision = timeMs === undefined ? asked.revision : await orExit(revisionAt(call, client, timeMs));
  const request = { ...asked, revision };
  const answer = await orExit(
    flags.bool("stream") ? streamed(call, client, request) : client.unary(range, request, call.timeout),
  );
  if (flags.bool("count-only") && call.format !== "fields") {
    badArguments("--count-only is only for `--write-out=fields`");
  }
  if (flags.bool("print-value-only")) {
    if (call.format !== "simple") badArguments("print-value-only is only for `--write-out=simple`");
    await call.display("values", answer);
  } else await call.display("get", answer);
}

type Asked = ReturnType<typeof getRequest>;
type ConnectedClient = Awaited<ReturnType<CtlCall["client"]>>;

/** The parts of the answer put together. */
async function streamed(call: CtlCall, client: ConnectedClient, request: Asked): Promise<RangeResponse> {
  const whole: RangeResponse = { header: undefined, kvs: [], more: false, count: 0n };
  for await (const { range_response: part } of await client.serverStream(
    rangeStream,
    request,
    call.timeout,
  )) {
    if (part === undefined) continue;
    whole.header ??= part.header;
    whole.kvs.push(...part.kvs);
    whole.more ||= part.more;
    if (part.count !== 0n) whole.count = part.count;
  }
  return whole;
}
