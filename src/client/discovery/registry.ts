/** What a discovery service holds of a new cluster: how many members it is to have, and who has come so far. */

/** As etcd lays it out in the service's key space. */
const root = "/_etcd/registry";
export const sizeKey = (token: string): string => `${root}/${token}/_config/size`;
export const membersPrefix = (token: string): string => `${root}/${token}/members`;
/** `id` in hexadecimal. */
export const memberKey = (token: string, id: string): string => `${membersPrefix(token)}/${id}`;

export interface RegisteredMember {
  readonly key: string;
  /** `name=URL,name=URL`, a pair for each of its peer URLs. */
  readonly urls: string;
  /** When it came: who comes first is in. */
  readonly createRevision: bigint;
}

export class Registry {
  readonly #members: RegisteredMember[] = [];

  get count(): number {
    return this.#members.length;
  }

  /** Why it is not taken; undefined if it is. */
  add(member: RegisteredMember): string | undefined {
    if (!member.urls.includes("=")) return "invalid peer info returned from discovery service";
    if (this.#members.some(({ key }) => key === member.key)) {
      return "found duplicate peer from discovery service";
    }
    this.#members.push(member);
    this.#members.sort((a, b) => (a.createRevision < b.createRevision ? -1 : 1));
    return undefined;
  }

  /** Whether a cluster of `size` has no place left for the member of this key. */
  isFullFor(key: string, size: number): boolean {
    const place = this.#members.findIndex((member) => member.key === key);
    return place < 0 ? this.#members.length >= size : place >= size;
  }

  /** The first `size` members, as in `--initial-cluster`. */
  initialCluster(size: number): string {
    return this.#members
      .slice(0, size)
      .map(({ urls }) => urls)
      .join(",");
  }
}
