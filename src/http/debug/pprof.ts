/**
 * `--enable-pprof`: /debug/pprof/ by the paths of Go's, with the runtime's own profiles behind them, in the formats that
 * Chromium's and VS Code's tools open. What only Go has is named as such.
 */
import type { Context, Hono } from "hono";
import { html } from "hono/html";

/** How the runtime takes profiles. */
export interface Profiles {
  cpu(durationMs: number, signal: AbortSignal): Promise<string>;
  heap(): ReadableStream<Uint8Array>;
  commandLine(): readonly string[];
}

const prefix = "/debug/pprof";
/** As Go's. */
const defaultSeconds = 30;
const secondsMax = 600;

/** Go's other profiles. */
const absent: Readonly<Record<string, string>> = {
  allocs: "allocations are not sampled: compare two heap snapshots",
  block: "there are no goroutines that could be blocked",
  goroutine: "there are no goroutines",
  mutex: "there are no mutexes",
  symbol: "profiles have names already",
  threadcreate: "the runtime does not tell which code made a thread",
  trace: "the runtime has no execution trace: take a profile",
};

export function addPprof(app: Hono, load: () => Promise<Profiles>): void {
  app.get(prefix, (context) => context.redirect(`${prefix}/`));
  app.get(`${prefix}/`, (context) => context.html(index()));
  app.get(`${prefix}/profile`, async (context) => profile(context, await load()));
  app.get(`${prefix}/heap`, async (context) => {
    const headers = asFile("etclite.heapsnapshot");
    return context.body((await load()).heap(), 200, headers);
  });
  app.get(`${prefix}/cmdline`, async (context) => {
    const words = (await load()).commandLine();
    return context.body(words.join("\0"), 200, { "Content-Type": "text/plain; charset=utf-8" });
  });
  for (const [name, why] of Object.entries(absent)) {
    app.all(`${prefix}/${name}`, (context) => context.text(`${name}: ${why}\n`, 404));
  }
}

async function profile(context: Context, profiles: Profiles): Promise<Response> {
  const given = context.req.query("seconds");
  const seconds = given === undefined ? defaultSeconds : Number(given);
  if (!(seconds > 0 && seconds <= secondsMax)) {
    return context.text(`seconds: expected a number up to ${secondsMax}\n`, 400);
  }
  try {
    const text = await profiles.cpu(seconds * 1000, context.req.raw.signal);
    return context.body(text, 200, asFile("etclite.cpuprofile"));
  } catch (error) {
    return context.text(`${(error as Error).message}\n`, 500);
  }
}

const asFile = (name: string) => ({
  "Content-Type": "application/json",
  "Content-Disposition": `attachment; filename="${name}"`,
  "X-Content-Type-Options": "nosniff",
});

function index() {
  const rows = Object.entries(absent).map(([name, why]) => html`<li>${name}: ${why}</li>`);
  return html`<!doctype html><html><head><title>${prefix}/</title></head><body>
<p>Profiles of this process. They open in the developer tools of Chromium and in VS Code.</p>
<ul>
<li><a href="profile?seconds=30">profile</a>: where the processor's time goes (.cpuprofile); ?seconds= says for how long to look.</li>
<li><a href="heap">heap</a>: what is in memory (.heapsnapshot). The server stands still while it is taken.</li>
<li><a href="cmdline">cmdline</a>: the command line.</li>
</ul>
<p>Not here:</p><ul>${rows}</ul></body></html>`;
}
