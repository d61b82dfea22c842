/** Makes equal what two runs cannot have in common: ids of leases, times, and addresses of connections. */

export class Normalizer {
  readonly #leases: string[] = [];

  /** `$LEASE1` is the first lease that was granted, in hexadecimal. */
  expand(word: string): string {
    return word.replaceAll(/\$LEASE(\d+)/g, (all, number: string) => this.#leases[Number(number) - 1] ?? all);
  }

  normalize(text: string, place: string): string {
    this.#learn(text);
    let out = text.replaceAll(place, "$DIR");
    for (const [at, id] of this.#leases.entries()) {
      const number = BigInt(`0x${id}`);
      out = out.replaceAll(id, `lease${at + 1}`).replaceAll(String(number), `lease${at + 1}`);
      const base64 = Buffer.from(number.toString(16)).toString("base64");
      out = out.replaceAll(number.toString(16), `lease${at + 1}`).replaceAll(base64, `lease${at + 1}`);
    }
    return out
      .split("\n")
      .map(lineWithoutTimes)
      .filter((line) => line !== dropped)
      .join("\n");
  }

  #learn(text: string): void {
    const hex = /^lease ([0-9a-f]{16}) granted with TTL\(\d+s\)$/m.exec(text)?.[1];
    const decimal = /"ID":(\d{10,}),"TTL"/.exec(text)?.[1] ?? /^"ID" : (\d{10,})\n"TTL"/m.exec(text)?.[1];
    const id = hex ?? (decimal && BigInt(decimal).toString(16).padStart(16, "0"));
    if (id !== undefined && !this.#leases.includes(id)) this.#leases.push(id);
  }
}

/** Stands for a line that is left out. */
const dropped = "\0dropped";

const duration = /\b(?:\d+m)?\d+(?:\.\d+)?(?:ns|µs|Âµs|ms|s)\b/g;

function lineWithoutTimes(line: string): string {
  if (/^\{"level":/.test(line)) return logLine(line);
  if (/^stty: /.test(line)) return dropped;
  // A flag of ours.
  if (/^\s+--at-time\b/.test(line)) return dropped;
  if (/lookup .* no such host/.test(line)) return line.replaceAll(/ on [\d.]+:53/g, "");
  if (/lease1/.test(line)) return withoutRest(line);
  if (/^"TTL" : /.test(line)) return '"TTL" : <time>';
  if (/took/i.test(line)) return line.replaceAll(duration, "<time>");
  return line;
}

/** The time that a lease has left. */
function withoutRest(line: string): string {
  return line.replace(/remaining\(\d+s\)/, "remaining(<time>)").replace(/"ttl":\d+/, '"ttl":<time>');
}

/** What differs by nature in a line of log, and where in the code it was written. */
function logLine(line: string): string {
  const fields = JSON.parse(line) as Record<string, unknown>;
  for (const name of ["ts", "caller", "stacktrace", "took"]) delete fields[name];
  if (typeof fields["target"] === "string") fields["target"] = fields["target"].replace(/0x[0-9a-f]+/, "0x0");
  if (typeof fields["peer"] === "string") fields["peer"] = fields["peer"].replace(/LocalAddr: '[^']*'/, "");
  // The resolver's own words, and its address.
  if (typeof fields["error"] === "string") fields["error"] = fields["error"].replace(/ on [\d.]+:53/, "");
  return JSON.stringify(Object.fromEntries(Object.entries(fields).sort()));
}
