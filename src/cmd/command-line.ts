/** The command line as it may be shown: without the passwords in it. */

export const commandLine = (): string[] => [process.argv0, ...process.argv.slice(2).map(withoutSecret)];

/** `--discovery-password=x` without the x. In two words, the second is not told from another flag's: etcd logs it too. */
export function withoutSecret(word: string): string {
  return word.replace(/^(--?discovery-(?:user|password)=).*/s, "$1...");
}
