/** Chromium, driven by playwright-core. It is not downloaded: the system's is used (`ETCLITE_CHROMIUM`, or the usual path). */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const candidates = [process.env["ETCLITE_CHROMIUM"], "/usr/bin/chromium", "/usr/bin/google-chrome"];

export async function launchChromium(): Promise<Browser> {
  const executablePath = candidates.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) {
    throw new Error("there is no Chromium: install the package chromium, or set ETCLITE_CHROMIUM");
  }
  return chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
