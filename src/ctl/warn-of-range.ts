/** The pause before a range of keys is deleted. */
import { setTimeout as delay } from "node:timers/promises";
import { goQuote } from "../lib/go-quote.ts";
import type { CtlIo } from "./io.ts";

const pauseMs = 2_000;

export async function warnOfRange(io: CtlIo, from: string, to: string): Promise<void> {
  io.err(
    `Warning: Keys between ${goQuote(from)} and ${goQuote(to)} will be deleted. Please interrupt the command within next 2 seconds to cancel. You can provide \`--range\` flag to avoid the delay.\n`,
  );
  await delay(pauseMs);
}
