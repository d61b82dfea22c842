/** Which of a member's URLs to use: the one that worked last. */
import { type EtcdUrl, parseEtcdUrl } from "../../lib/etcd-url.ts";

export class UrlPicker {
  #urls: EtcdUrl[];
  #picked = 0;

  /** Throws if one of `urls` is none, or there is none at all. */
  constructor(urls: readonly string[]) {
    this.#urls = parse(urls);
  }

  get urls(): readonly EtcdUrl[] {
    return this.#urls;
  }

  update(urls: readonly string[]): void {
    this.#urls = parse(urls);
    this.#picked = 0;
  }

  pick(): EtcdUrl {
    return this.#urls[this.#picked]!;
  }

  /** `url` did not work: on to the next one, unless somebody has moved on already. */
  unreachable(url: EtcdUrl): void {
    if (url === this.pick()) this.#picked = (this.#picked + 1) % this.#urls.length;
  }
}

function parse(urls: readonly string[]): EtcdUrl[] {
  if (urls.length === 0) throw new Error("a member without peer URLs");
  return urls.map(parseEtcdUrl);
}
