/** Sizes for people, as etcd's log has them: thousands, and one digit behind the point below ten ("2.1 GB", "10 MB"). */

const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"] as const;

export function humanBytes(bytes: number): string {
  if (bytes < 10) return `${bytes} B`;
  const power = Math.min(units.length - 1, Math.floor(Math.log(bytes) / Math.log(1000) + 1e-12));
  const value = Math.floor((bytes / 1000 ** power) * 10 + 0.5) / 10;
  return `${value < 10 ? value.toFixed(1) : halfToEven(value)} ${units[power]}`;
}

/** Go rounds 10.5 to 10, and 11.5 to 12. */
function halfToEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 && floor % 2 === 0 ? floor : Math.round(value);
}
