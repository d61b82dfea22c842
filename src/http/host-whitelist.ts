/**
 * `--host-whitelist`: a page that has its own name resolve to this server's address could use the server through its
 * visitors' browsers (DNS rebinding, CVE-2018-5702). What such a request cannot hide is the name in its Host header.
 */
import type { Context, MiddlewareHandler } from "hono";
import { goQuote } from "../lib/go-quote.ts";
import type { Logger } from "../lib/logger.ts";
import { refusal as refuse } from "./whole-text.ts";

/** Refuses requests without TLS under a name that is not in `allowed`; an empty list, or "*", allows every name. */
export function checkHost(
  allowed: readonly string[],
  isSecure: (context: Context) => boolean,
  logger: Logger,
): MiddlewareHandler {
  if (allowed.length === 0 || allowed.includes("*")) return (_, next) => next();
  const names = new Set(allowed);
  return async (context, next) => {
    if (isSecure(context)) return next();
    const host = hostName(context);
    if (names.has(host)) return next();
    logger.warn("rejecting HTTP request to prevent DNS rebinding attacks", { host });
    return refuse(`${refusal(host)}\n`, 421);
  };
}

/** Without its port. */
function hostName(context: Context): string {
  const host = context.req.header("host") ?? new URL(context.req.url).host;
  const named = /^(?:\[([^\]]*)\]|([^:]*)):[^:]*$/.exec(host);
  return named ? (named[1] ?? named[2] ?? "") : host;
}

/** etcd's answer, word for word: people look for it. */
const refusal = (host: string): string => `
etcd received your request, but the Host header was unrecognized.

To fix this, choose one of the following options:
- Enable TLS, then any HTTPS request will be allowed.
- Add the hostname you want to use to the whitelist in settings.
  - e.g. etcd --host-whitelist ${goQuote(host)}

This requirement has been added to help prevent "DNS Rebinding" attacks (CVE-2018-5702).
`;
