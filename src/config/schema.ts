/**
 * The only file that knows zod. Each kind of value has a schema that checks a plain value and makes of it what `Config`
 * holds. Schemas are made when first asked for: a start looks at the few settings that somebody has set, and the
 * defaults need no check.
 */
import * as z from "zod/mini";
import { type EtcdUrl, normalizeEtcdUrls, parseEtcdUrl } from "../lib/etcd-url.ts";
import { parseFeatureGates } from "./feature-gates.ts";
import { expectation } from "./kind-words.ts";
import type { Kind } from "./option.ts";
import { goRanges, toSafe } from "./parse-value.ts";

/** What `plain` stands for. Throws an `Error` that says what is wrong with it, in a line. */
export function finishValue(kind: Kind, plain: unknown): unknown {
  const result = schemaOf(kind).safeParse(plain);
  if (result.success) return freeze(result.data);
  // Our own transformations say what is wrong; for the rest, what is right says more than zod's "Invalid input".
  const own = result.error.issues.find((issue) => issue.code === "custom");
  throw new Error(own ? own.message : expectation(kind));
}

const made = new Map<string, z.ZodMiniType>();

function schemaOf(kind: Kind): z.ZodMiniType {
  const key = JSON.stringify(kind);
  const known = made.get(key);
  if (known) return known;
  const schema = makeSchema(kind);
  made.set(key, schema);
  return schema;
}

function makeSchema(kind: Kind): z.ZodMiniType {
  switch (kind.type) {
    case "text":
      return z.string();
    case "retention":
      return z.union([z.string(), z.pipe(z.number().check(z.int(), z.nonnegative()), z.transform(String))]);
    case "bool":
      return z.boolean();
    case "integer": {
      const { min, max } = goRanges[kind.go];
      return z.number().check(z.int(), z.minimum(toSafe(min)), z.maximum(toSafe(max)));
    }
    case "duration":
      return z.number();
    case "urls":
      return z.pipe(strings(), transformed(toUrls));
    case "origins":
      return z.pipe(strings(), transformed(toOrigins));
    case "list":
      return strings();
    case "set":
      return z.pipe(
        strings(),
        z.transform((words: string[]) => [...new Set(words)].sort()),
      );
    case "choice":
      return z.enum(kind.of as [string, ...string[]]);
    case "choices":
      return z.pipe(strings(), z.array(z.enum(kind.of as [string, ...string[]])));
    case "gates":
      return z.pipe(z.string(), transformed(parseFeatureGates));
  }
}

/** A list, or one text with commas. */
const strings = () =>
  z.union([
    z.array(z.string()),
    z.pipe(
      z.string(),
      z.transform((text: string) => (text === "" ? [] : text.split(","))),
    ),
  ]);

const toUrls = (texts: string[]): EtcdUrl[] => normalizeEtcdUrls(texts.map(parseEtcdUrl));

const toOrigins = (texts: string[]): string[] =>
  texts.includes("*") ? ["*"] : toUrls(texts).map((url) => url.href);

/** A transformation that may throw, which zod's own may not. */
const transformed = <From, To>(make: (from: From) => To) =>
  z.transform((from: From, context): To => {
    try {
      return make(from);
    } catch (cause) {
      context.issues.push({ code: "custom", message: (cause as Error).message, input: from });
      return z.NEVER;
    }
  });

function freeze(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}
