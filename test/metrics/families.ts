/** Name, type and label names of the families in a scrape. */

export class Family {
  readonly name: string;
  readonly type: string;
  readonly labels: Set<string>;

  constructor(name: string, type: string, labels: Iterable<string> = []) {
    this.name = name;
    this.type = type;
    this.labels = new Set(labels);
  }

  /** As `toString` writes it. */
  static parse(line: string): Family {
    const [name = "", type = "", labels = ""] = line.split(" ");
    return new Family(name, type, labels === "" ? [] : labels.split(","));
  }

  toString(): string {
    return `${this.name} ${this.type} ${[...this.labels].sort().join(",")}`.trim();
  }
}

/** By name. Throws for a series that belongs to none, or that is there twice. */
export function familiesOf(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  for (const line of text.split("\n")) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name && type) families.set(name, new Family(name, type));
    if (line === "" || line.startsWith("#")) continue;
    const series = line.slice(0, line.lastIndexOf(" "));
    if (seen.has(series)) throw new Error(`twice: ${series}`);
    seen.add(series);
    const full = series.replace(/\{.*/s, "");
    const family = families.get(full) ?? families.get(full.replace(/_(bucket|sum|count)$/, ""));
    if (!family) throw new Error(`of no family: ${line}`);
    for (const [, label] of series.matchAll(/[{,](\w+)="/g)) if (label !== "le") family.labels.add(label!);
  }
  return families;
}
