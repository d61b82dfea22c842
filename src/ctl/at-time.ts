/** `--at-time`: from what people write for a time to the revision that was the newest then. */
import type { Client } from "../client/client.ts";
import { ClientError } from "../client/client-error.ts";
import * as explore from "../client/methods/explore.ts";
import { GrpcCode } from "../errors/etcd-error.ts";
import { parseGoDuration } from "../lib/go-duration.ts";
import type { CtlCall } from "./call.ts";
import { Exit, ExitCode } from "./exit.ts";

const dateAndTime = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** Milliseconds since 1970. Dates without a zone are local. */
export function timeFrom(text: string, nowMs: number): number {
  if (dateAndTime.test(text)) {
    // A date alone would be taken for one in UTC.
    const timeMs = new Date(/[T ]/.test(text) ? text.replace(" ", "T") : `${text}T00:00`).getTime();
    if (!Number.isNaN(timeMs)) return timeMs;
  } else {
    const agoMs = durationMs(text);
    if (agoMs !== undefined) return Math.floor(nowMs - agoMs);
  }
  const wanted = "a time as 2026-01-31T12:00:00Z, or how long ago as 10m";
  throw new Exit(ExitCode.badArguments, `--at-time ${JSON.stringify(text)} is not ${wanted}`);
}

function durationMs(text: string): number | undefined {
  try {
    const ms = parseGoDuration(text);
    return ms >= 0 ? ms : undefined;
  } catch {
    return undefined;
  }
}

/** Says on standard error how sure the answer is, if it is not. */
export async function revisionAt(call: CtlCall, client: Client, timeMs: number): Promise<bigint> {
  const { io } = call;
  const answer = await client
    .unary(explore.revisionAt, { time_ms: BigInt(timeMs) }, call.timeout)
    .catch((error: unknown) => {
      if (!(error instanceof ClientError) || error.code !== GrpcCode.unimplemented) throw error;
      throw new Error(
        "--at-time: the server keeps no record of when revisions were made; only etclite does",
        {
          cause: error,
        },
      );
    });
  const { revision, latest_revision, is_uncertain } = answer;
  if (latest_revision > revision) {
    io.err(
      `revisions ${revision} to ${latest_revision} were made within a second of that time: this is ${revision}\n`,
    );
  }
  if (is_uncertain) {
    io.err(
      `the member was started after that time: revisions after ${revision} may be older than it knows\n`,
    );
  }
  return revision;
}
