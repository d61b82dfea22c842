/** Versions as far as members compare them: major and minor. */

export interface MinorVersion {
  readonly major: number;
  readonly minor: number;
}

/** Of a whole version ("3.7.3", "3.8.0-alpha"); undefined if it is none. */
export function parseVersion(text: string): MinorVersion | undefined {
  const match = /^(\d+)\.(\d+)\.\d+(?:[-+].*)?$/.exec(text);
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

export const isBefore = (a: MinorVersion, b: MinorVersion): boolean =>
  a.major < b.major || (a.major === b.major && a.minor < b.minor);

export const isSame = (a: MinorVersion, b: MinorVersion): boolean =>
  a.major === b.major && a.minor === b.minor;

/** "3.7" */
export const formatMinor = ({ major, minor }: MinorVersion): string => `${major}.${minor}`;
