/** The line of log that etcdctl writes for each attempt that failed. */
import type { FailedAttempt } from "../client/client.ts";
import { parseEndpoint } from "../client/endpoint.ts";
import { goStatusText } from "../errors/table.ts";
import type { CtlIo } from "./io.ts";
import { loggerTo } from "./log-line.ts";

export function tellFailedAttempt(
  io: CtlIo,
  { path, number, error, peer }: FailedAttempt,
  endpoints: readonly string[],
  loggerName: string,
): void {
  const who =
    peer === undefined
      ? "Peer{Addr: <nil>, LocalAddr: <nil>, AuthInfo: <nil>}"
      : `Peer{Addr: '${peer.remote}', LocalAddr: '${peer.local}', AuthInfo: '${peer.isSecure ? "tls" : "insecure"}'}`;
  loggerTo(io, "ctl/failed-attempt.ts")
    .named(loggerName)
    .warn("retrying of unary invoker failed", {
      target: `etcd-endpoints://0x0/${parseEndpoint(endpoints[0]!).target}`,
      peer: who,
      method: path,
      attempt: number,
      error: goStatusText(error),
    });
}
