/** A process that locks the folder it is given and keeps it until it is killed. */
import { lockDir } from "../dir-lock.ts";

try {
  await lockDir(process.argv[2]!);
  process.stdout.write("locked\n");
  setInterval(() => {}, 60_000);
} catch (error) {
  process.stdout.write(`refused: ${(error as Error).name}\n`);
}
