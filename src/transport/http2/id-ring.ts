/** Remembers the latest stream ids put into it, so that a late frame can be told from a wrong one. */
export class IdRing {
  private readonly ids: Int32Array;
  private at = 0;

  constructor(length: number) {
    this.ids = new Int32Array(length);
  }

  add(id: number): void {
    this.ids[this.at] = id;
    this.at = this.at + 1 === this.ids.length ? 0 : this.at + 1;
  }

  has(id: number): boolean {
    return this.ids.includes(id);
  }
}
