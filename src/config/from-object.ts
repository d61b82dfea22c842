/** Settings given by a program: what `new Etcd({ ... })` takes. */
import { nearMiss } from "../lib/near-miss.ts";
import { assembleConfig } from "./assemble.ts";
import { type Config, ConfigError, entries, type FieldName, type Notice, options } from "./config.ts";
import { finishValue } from "./schema.ts";

/** Any of the settings, by field; URLs and lists as texts with commas or lists of texts. */
export type SettingsInput = {
  readonly [Field in FieldName]?:
    | (Config[Field] extends string | number | boolean ? Config[Field] : never)
    | (Config[Field] extends readonly unknown[] ? string | readonly string[] : never)
    | (Field extends "featureGates" ? string : never);
};

/** Throws a `ConfigError` that names the field. */
export function configFromObject(input: SettingsInput, notices: Notice[] = []): Config {
  const values = new Map<FieldName, unknown>();
  const explicit = new Set<string>();
  const names = entries.map(([field]) => field);
  for (const [name, plain] of Object.entries(input)) {
    if (plain === undefined) continue;
    const field = names.find((known) => known === name);
    if (!field) {
      const near = nearMiss(name, names);
      throw new ConfigError(`there is no setting "${name}"${near ? `; did you mean "${near}"?` : ""}`);
    }
    try {
      values.set(field, finishValue(options[field].kind, plain));
    } catch (cause) {
      throw new ConfigError(`${name}: ${(cause as Error).message}`);
    }
    explicit.add(options[field].flag);
  }
  return assembleConfig({ values, explicit, notices });
}
