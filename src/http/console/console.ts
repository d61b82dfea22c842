/**
 * The console: a page at /console for people, built into the program. What it does it does by the same API as every client,
 * with the permissions of whoever has logged in; so nothing is served here but files.
 */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import type { Context, Hono } from "hono";
import { consoleAssets } from "../../gen/console-assets.ts";
import { refuseOtherMethods } from "../health.ts";

export interface ConsoleOptions {
  /** Addresses of the members' client ports: the page asks each member how it is. */
  readonly memberOrigins: () => readonly string[];
}

/** Adds the console's paths to `app`. */
export function addConsole(app: Hono, options: ConsoleOptions): void {
  app.get("/console/", (context) => context.redirect("/console", 308));
  for (const name of Object.keys(consoleAssets)) {
    const path = name === "index.html" ? "/console" : `/console/${name}`;
    app.get(path, serverOf(name, options));
    refuseOtherMethods(app, path);
  }
}

function serverOf(name: string, options: ConsoleOptions): (context: Context) => Response {
  const { type, gzip } = consoleAssets[name]!;
  const compressed = Buffer.from(gzip, "base64");
  const tag = `"${createHash("sha256").update(compressed).digest("hex").slice(0, 16)}"`;
  return (context) => {
    const headers = {
      "Content-Type": type,
      ETag: tag,
      Vary: "Accept-Encoding",
      // Looked after each time, so that a new version of the server shows at once.
      "Cache-Control": "no-cache",
      "Content-Security-Policy": securityPolicy(options.memberOrigins()),
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
      "Referrer-Policy": "no-referrer",
      "Cross-Origin-Opener-Policy": "same-origin",
    };
    if (context.req.header("if-none-match") === tag) return new Response(null, { status: 304, headers });
    if (/\bgzip\b/.test(context.req.header("accept-encoding") ?? "")) {
      return new Response(compressed, { headers: { ...headers, "Content-Encoding": "gzip" } });
    }
    return new Response(gunzipSync(compressed), { headers });
  };
}

/** Scripts, styles and pictures from here alone, none of them inline; calls go here and to the other members. */
function securityPolicy(memberOrigins: readonly string[]): string {
  const origins = memberOrigins.filter((url) => /^https?:\/\/[\w.:[\]-]+$/.test(url));
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    ["connect-src 'self'", ...new Set(origins)].join(" "),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
