/**
 * `GODEBUG=http2debug=2` makes etcd print the header fields that clients send, as text between the lines of its log.
 * It is how one finds out what a proxy or a client made of `:authority`, so it works here too.
 */
import { writeSync } from "node:fs";
import { goQuote } from "../../lib/go-quote.ts";
import type { TransportObserver } from "../../transport/rpc-server.ts";

/** Fields whose values would let the reader of a log act for somebody else. */
const secretFields: ReadonlySet<string> = new Set(["authorization", "token", "cookie"]);

export function http2Debug(
  environment: Readonly<Record<string, string | undefined>>,
  write: (line: string) => void = (line) => void writeSync(2, line),
): Pick<TransportObserver, "onFields"> {
  if (!/(^|,)http2debug=2(,|$)/.test(environment["GODEBUG"] ?? "")) return {};
  return {
    onFields: (fields) => {
      for (let at = 0; at < fields.length; at += 2)
        write(`${timeNow()} ${lineOf(fields[at]!, fields[at + 1]!)}\n`);
    },
  };
}

function lineOf(name: string, value: string): string {
  const shown = secretFields.has(name) ? `"" (sensitive)` : goQuote(value);
  return `http2: decoded hpack field header field ${goQuote(name)} = ${shown}`;
}

/** As Go's package log begins its lines. */
function timeNow(): string {
  const now = new Date();
  const two = (number: number) => String(number).padStart(2, "0");
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("/");
  return `${date} ${[now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(":")}`;
}
