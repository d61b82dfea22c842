/** Checks the sizes of files and functions. Each function answers with a list of problems. */
import { codeOf, inSrc, isGenerated, isTest, isTypeScript, type Source } from "./sources.ts";

const fileLinesMax = 500;
const functionLinesMax = 70;

/** The words with which the first comment of a long file gives its reason. */
export const reasonForLength = /\blong because\b/i;

/** TypeScript files over 500 lines whose first comment does not say "Long because ...". */
export function longFiles(sources: readonly Source[]): string[] {
  return sources
    .filter((s) => isTypeScript(s) && !isGenerated(s))
    .filter((s) => lineCount(s.text) > fileLinesMax && !reasonForLength.test(firstComment(s.text)))
    .map((s) => `${s.path}: ${lineCount(s.text)} lines, and its first comment does not say "Long because"`);
}

const lineCount = (text: string): number => text.split("\n").length - (text.endsWith("\n") ? 1 : 0);

function firstComment(text: string): string {
  return /^\s*(\/\*[\s\S]*?\*\/|(?:\/\/[^\n]*\n\s*)+)/.exec(text)?.[1] ?? "";
}

const keywords = /^(?:if|for|while|switch|catch|return|await|throw|new|typeof|yield|else|do|super)\b/;
const headers = [
  /^(?:export )?(?:async )?function\b/,
  /^(?:export )?(?:const|let) [\w$]+(?:: [^=]+)? = (?:async )?(?:<[^>]*>)?\(.*(?:=> \{|\($|,$)/,
  /^(?:(?:public|private|protected|static|override|async|readonly|get|set) )*\*?#?[\w$]+(?:<[^(]*>)?\((?:[^;]*(?:\{|\())?$/,
];

/**
 * Functions of src/ over 70 lines. Works by indentation, which the formatter makes reliable: a function ends at the
 * first line that closes a brace as far in as its own first line.
 */
export function longFunctions(sources: readonly Source[]): string[] {
  return sources
    .filter((s) => isTypeScript(s) && inSrc(s) && !isTest(s) && !isGenerated(s))
    .flatMap((source) => {
      const lines = codeOf(source.text, { keepStrings: false }).split("\n");
      return lines.flatMap((line, start) => {
        const indent = line.length - line.trimStart().length;
        const text = line.trim();
        if (keywords.test(text) || !headers.some((header) => header.test(text))) return [];
        const length = lengthFrom(lines, start, indent);
        return length > functionLinesMax
          ? [`${source.path}:${start + 1}: a function of ${length} lines`]
          : [];
      });
    });
}

/** 0 if what starts there turns out to be a call and not a function. */
function lengthFrom(lines: readonly string[], start: number, indent: number): number {
  for (let i = start + 1; i < lines.length; i++) {
    const line = (lines[i] as string).trimEnd();
    if (line === "") continue;
    const lineIndent = line.length - line.trimStart().length;
    if (lineIndent > indent) continue;
    if (lineIndent < indent) return 0;
    if (line.endsWith("{")) continue; // the end of a list of parameters
    return line[indent] === "}" ? i - start + 1 : 0;
  }
  return 0;
}
