/** Paths that Go's multiplexer sends elsewhere: with a slash too many, as a base URL that ends in one makes them. */
import type { MiddlewareHandler } from "hono";
import { wholeText } from "./whole-text.ts";

/** Answers 307, so that a POST stays one. `hasGateway`: `/v3` means `/v3/`. */
export function redirectToCleanPath(hasGateway: boolean): MiddlewareHandler {
  return async (context, next) => {
    const { pathname, search } = new URL(context.req.url);
    const clean = hasGateway && pathname === "/v3" ? "/v3/" : pathname.replaceAll(/\/{2,}/g, "/");
    if (clean === pathname) return next();
    return wholeText("", 307, { Location: `${clean}${search}` });
  };
}
