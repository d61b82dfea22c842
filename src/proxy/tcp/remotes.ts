/** The servers behind the gateway, and which of them the next connection goes to, by the rules of RFC 2782. */

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** The lowest is taken, as long as one of it works. */
  readonly priority: number;
  /** How often it is taken among those of its priority; those without one take turns. */
  readonly weight: number;
}

export interface Remote extends Endpoint {
  /** As `host:port`. */
  readonly address: string;
  isActive: boolean;
}

export class Remotes {
  readonly all: readonly Remote[];
  readonly #randomBelow: (limit: number) => number;
  #turn = 0;

  constructor(endpoints: readonly Endpoint[], randomBelow: (limit: number) => number) {
    this.#randomBelow = randomBelow;
    this.all = endpoints.map((endpoint) => ({ ...endpoint, address: addressOf(endpoint), isActive: true }));
  }

  /** Undefined if none is active. */
  pick(): Remote | undefined {
    const active = this.all.filter(({ isActive }) => isActive);
    const best = Math.min(...active.map(({ priority }) => priority));
    const candidates = active.filter(({ priority }) => priority === best);
    const weighted = candidates.filter(({ weight }) => weight > 0);
    const unweighted = candidates.filter(({ weight }) => weight === 0);
    // Where others have weights, one without is meant to be taken hardly ever.
    if (weighted.length > 0 && (unweighted.length === 0 || this.#randomBelow(100) > 0)) {
      return this.#byWeight(weighted);
    }
    return unweighted.length === 0 ? undefined : unweighted[this.#turn++ % unweighted.length];
  }

  #byWeight(weighted: readonly Remote[]): Remote {
    let left = this.#randomBelow(weighted.reduce((sum, { weight }) => sum + weight, 0));
    for (const remote of weighted) {
      left -= remote.weight;
      if (left < 0) return remote;
    }
    return weighted.at(-1)!;
  }
}

const addressOf = ({ host, port }: Endpoint): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
