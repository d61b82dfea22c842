/**
 * What the tables in `options/` are made of. An entry says all there is to know about one setting; parsing, checking,
 * --help, the example file and the tables in docs/ are all derived from the entries. The name of an entry in its table
 * is the field of `Config`, with its unit at the end.
 */
import { type EtcdUrl, parseEtcdUrls } from "../lib/etcd-url.ts";
import { type FeatureGates, parseFeatureGates } from "./feature-gates.ts";

/** How a value is written and read. */
export type Kind =
  | { readonly type: "text" }
  | { readonly type: "bool" }
  | { readonly type: "integer"; readonly go: GoInteger; readonly max?: number }
  /** Milliseconds in `Config`; Go's syntax outside. */
  | { readonly type: "duration" }
  /** http, https, unix or unixs, separated by commas. */
  | { readonly type: "urls" }
  /** "*" or URLs, separated by commas. */
  | { readonly type: "origins" }
  /** Separated by commas, in the order given. */
  | { readonly type: "list" }
  /** Separated by commas; sorted, each once. */
  | { readonly type: "set" }
  | { readonly type: "choice"; readonly of: readonly string[] }
  /** Some of these, separated by commas. */
  | { readonly type: "choices"; readonly of: readonly string[] }
  /** `Name=true,Other=false`. */
  | { readonly type: "gates" }
  /** A duration, or a whole number. */
  | { readonly type: "retention" };

/** Go's integer types. */
export type GoInteger = "int" | "int64" | "uint" | "uint32" | "uint64";

export type Status =
  | { readonly is: "works" }
  /** Read and checked; has no effect here, and never will. */
  | { readonly is: "accepted"; readonly why: string }
  /** etcd itself is about to remove it; `message` is what etcd warns with. */
  | { readonly is: "deprecated"; readonly message: string };

export interface Option<Value = unknown> {
  /** etcd's name. The environment variable is derived from it. */
  readonly flag: string;
  /** Where YAML has it; dots go into sections. Undefined: nowhere. */
  readonly yaml: string | undefined;
  /** YAML of etcd has no key for this: `yaml` is ours. */
  readonly yamlIsOurs: boolean;
  readonly kind: Kind;
  readonly default: Value;
  /** The default as one would type it. */
  readonly defaultText: string;
  /** One line of --help, in our words. */
  readonly help: string;
  readonly status: Status;
  /** Not etcd's: ours alone. */
  readonly ours: boolean;
  /** Never logged. */
  readonly secret: boolean;
  /** 0 stands for the default. */
  readonly zeroIsDefault: boolean;
}

export type OptionTable = Readonly<Record<string, Option>>;

/** What an entry may leave out is as with most: the key is the flag, it works, it is etcd's. */
interface Spec<Default> {
  readonly default: Default;
  readonly help: string;
  /** "none": YAML has no key for it. */
  readonly yaml?: string;
  readonly yamlIsOurs?: boolean;
  readonly status?: Status;
  readonly ours?: boolean;
  readonly secret?: boolean;
  readonly zeroIsDefault?: boolean;
  /** If the default prints otherwise. */
  readonly defaultText?: string;
}

function option<Value>(flag: string, kind: Kind, spec: Spec<Value>, defaultText: string): Option<Value> {
  return {
    flag,
    yaml: spec.yaml === "none" ? undefined : (spec.yaml ?? flag),
    yamlIsOurs: spec.yamlIsOurs ?? false,
    kind,
    default: spec.default,
    defaultText: spec.defaultText ?? defaultText,
    help: spec.help,
    status: spec.status ?? works,
    ours: spec.ours ?? false,
    secret: spec.secret ?? false,
    zeroIsDefault: spec.zeroIsDefault ?? false,
  };
}

export const text = (flag: string, spec: Spec<string>): Option<string> =>
  option(flag, { type: "text" }, spec, spec.default);

export const bool = (flag: string, spec: Spec<boolean>): Option<boolean> =>
  option(flag, { type: "bool" }, spec, String(spec.default));

/** A whole number. Numbers above 2^53-1 become 2^53-1. */
export const integer = (flag: string, go: GoInteger, spec: Spec<number>): Option<number> =>
  option(flag, { type: "integer", go }, spec, String(spec.default));

/** Milliseconds; `spec.defaultText` is the default in Go's syntax. */
export const duration = (flag: string, spec: Spec<number> & { defaultText: string }): Option<number> =>
  option(flag, { type: "duration" }, spec, spec.defaultText);

export const urls = (flag: string, spec: Spec<string>): Option<readonly EtcdUrl[]> =>
  option<readonly EtcdUrl[]>(
    flag,
    { type: "urls" },
    {
      ...spec,
      default: Object.freeze(
        spec.default === "" ? [] : parseEtcdUrls(spec.default).map((url) => Object.freeze(url)),
      ),
    },
    spec.default,
  );

const strings = (
  flag: string,
  type: "origins" | "list" | "set",
  spec: Spec<string>,
): Option<readonly string[]> =>
  option<readonly string[]>(
    flag,
    { type },
    { ...spec, default: Object.freeze(spec.default === "" ? [] : spec.default.split(",")) },
    spec.default,
  );

export const origins = (flag: string, spec: Spec<string>) => strings(flag, "origins", spec);
export const list = (flag: string, spec: Spec<string>) => strings(flag, "list", spec);
export const set = (flag: string, spec: Spec<string>) => strings(flag, "set", spec);

export const choice = <const Word extends string>(
  flag: string,
  of: readonly Word[],
  spec: Spec<NoInfer<Word>>,
): Option<Word> => option<Word>(flag, { type: "choice", of }, spec, spec.default);

export const choices = (flag: string, of: readonly string[], spec: Spec<string>): Option<readonly string[]> =>
  option<readonly string[]>(
    flag,
    { type: "choices", of },
    { ...spec, default: Object.freeze([spec.default]) },
    spec.default,
  );

export const gates = (flag: string, spec: Omit<Spec<FeatureGates>, "default">): Option<FeatureGates> =>
  option(flag, { type: "gates" }, { ...spec, default: parseFeatureGates("") }, "");

export const retention = (flag: string, spec: Spec<string>): Option<string> =>
  option(flag, { type: "retention" }, spec, spec.default);

export const works: Status = { is: "works" };
export const accepted = (why: string): Status => ({ is: "accepted", why });
export const deprecated = (message: string): Status => ({ is: "deprecated", message });

/** `ETCD_` and the flag in capitals. */
export const variableOf = (flag: string): string => `ETCD_${flag.toUpperCase().replaceAll("-", "_")}`;
