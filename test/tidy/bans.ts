/** What must not be written where. Each ban is a pattern, a place and a reason. */
import { pureFolders } from "./layers.ts";
import { at, codeOf, inSrc, isGenerated, isTest, isTypeScript, layerFolder, type Source } from "./sources.ts";

interface Ban {
  readonly pattern: RegExp;
  readonly why: string;
  readonly where: (source: Source) => boolean;
  /** What the pattern looks at: code without strings and comments, code without comments, or all of it. */
  readonly in: "code" | "code and strings" | "text";
}

const ours = (source: Source): boolean => isTypeScript(source) && !isGenerated(source);
const product = (source: Source): boolean => ours(source) && inSrc(source) && !isTest(source);
const pure = (source: Source): boolean =>
  product(source) && pureFolders.includes(layerFolder(source.path) as string);
const outsideRuntime = (source: Source): boolean => ours(source) && layerFolder(source.path) !== "runtime";

// Written in pieces, so that this file does not hold what it forbids.
// The user of an image that docs/deploy builds on has a home everywhere.
const machinePaths = new RegExp(
  [
    "(?<![\\w.-])/(?:ro" + "ot|wo" + "rk)/",
    "/t" + "mp/(?:anchors|ref|brief)",
    "/ho" + "me/(?!nonroot)[a-z]",
  ].join("|"),
);
const packageHosts = new RegExp(
  ["registry\\.npm" + "js\\.org", "proxy\\.go" + "lang\\.org", "py" + "pi\\.org", "repo1?\\.ma" + "ven"].join(
    "|",
  ),
);

export const bans: readonly Ban[] = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)/,
    why: "time comes in as an argument",
    where: pure,
    in: "code",
  },
  { pattern: /\bperformance\.now\b/, why: "time comes in as an argument", where: pure, in: "code" },
  { pattern: /\bMath\.random\b/, why: "randomness comes in as an argument", where: pure, in: "code" },
  { pattern: /"node:/, why: "a pure folder imports no node module", where: pure, in: "code and strings" },
  {
    pattern: /\basync\b|\bawait\b|\bPromise\b|\bqueueMicrotask\b/,
    why: "a pure folder has no promises",
    where: pure,
    in: "code",
  },
  { pattern: /\bconsole\./, why: "the product logs through its logger", where: product, in: "code" },
  { pattern: /^[ \t]*export default\b/m, why: "exports have names", where: ours, in: "code" },
  {
    pattern: /^[ \t]*(?:export )?(?:declare )?(?:const )?enum \w/m,
    why: "types are erased, so no enum",
    where: ours,
    in: "code",
  },
  {
    pattern: /^[ \t]*(?:export )?(?:declare )?namespace \w/m,
    why: "types are erased, so no namespace",
    where: ours,
    in: "code",
  },
  {
    pattern: /\b(?:it|test|describe|suite|t)\.(?:only|skip|todo)\b|[{,]\s*(?:only|skip|todo): /,
    why: "every test runs",
    where: (source) => /\.test\.ts$/.test(source.path),
    in: "code",
  },
  {
    pattern: /\b(?:Bun|Deno)\.[a-z]/,
    why: "globals of one runtime stay in src/runtime",
    where: outsideRuntime,
    in: "code",
  },
  { pattern: machinePaths, why: "a path of one machine", where: () => true, in: "text" },
  { pattern: packageHosts, why: "a package host", where: () => true, in: "text" },
];

export function broken(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const mine = bans.filter((ban) => ban.where(source));
    if (mine.length === 0) return [];
    const views = {
      text: source.text,
      code: isTypeScript(source) ? codeOf(source.text, { keepStrings: false }) : source.text,
      "code and strings": isTypeScript(source) ? codeOf(source.text, { keepStrings: true }) : source.text,
    };
    return mine.flatMap((ban) => {
      const match = ban.pattern.exec(views[ban.in]);
      return match ? [at(source, match.index, `${match[0].trim()}: ${ban.why}`)] : [];
    });
  });
}

/** Folder names that say nothing about what is in them. */
export function emptyNames(sources: readonly Source[]): string[] {
  const bad = sources.filter((s) => /(^|\/)(utils?|helpers?|common|misc)\//.test(s.path) && inSrc(s));
  return bad.map((s) => `${s.path}: a folder name that does not say what it holds`);
}
