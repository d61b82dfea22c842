/** `npm run browser`: a real Chromium against the server, with no proxy between them. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Report } from "../support/report.ts";
import {
  commonHelp,
  commonOptions,
  keepScratchFolders,
  scratchFolder,
  serverProgram,
} from "../support/scratch.ts";
import { launchChromium } from "./chromium.ts";
import { tryConsole } from "./console.ts";
import { tryProtocols } from "./protocols.ts";

const { values } = parseArgs({
  options: {
    ...commonOptions,
    help: { type: "boolean", short: "h", default: false },
    only: { type: "string" },
    pictures: { type: "string" },
  },
});
if (values.help) {
  console.log(`usage: npm run browser -- [options]\n${commonHelp}
  --only REGEX    run the checks whose names match
  --pictures PATH where pictures of the console go (default: the temporary folder)`);
  process.exit(0);
}

const program = serverProgram(values.server);
const folder = scratchFolder("browser", values);
const report = new Report({ filter: values.only === undefined ? undefined : new RegExp(values.only) });
const browser = await launchChromium();
const suite = { browser, program, folder, report };
await tryProtocols(suite);
await tryConsole({ ...suite, pictures: values.pictures ?? join(folder, "pictures") });
await browser.close();
if (report.failures.length > 0) keepScratchFolders();
report.finish();
