import { setTimeout as rest } from 'node:timers/promises';
import { recordingFiles } from '../../src/media/recording-files.ts';

/** Records a ramp into `<folder>/r.wav`, a tenth of a second at a time, until it is killed or the disk refuses; then it says what it has. */
const files = recordingFiles(process.argv[2]!, () => {});
let failed = false;
const file = files.open('r.wav', { rate: 8000, channels: 2 }, () => (failed = true));
for (let n = 0; !failed; n++) {
  const block = Int16Array.from({ length: 1600 }, (_, i) => (n * 1600 + i) & 0x7fff);
  while (!file.write(block) && !failed) await rest(1);
  await rest(1);
}
process.stdout.write(JSON.stringify(await file.close()));
process.exit(0);
