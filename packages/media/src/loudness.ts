/** The largest sample. */
const FULL = 32767;
/** Up to here a sum is left as it is; what is above is bent towards full scale. */
const KNEE = 24_576;

/** `decibels` below a square wave of full scale, as a mean square. */
export const meanSquareOf = (decibels: number): number => 32768 ** 2 * 10 ** (decibels / 10);

export function meanSquare(pcm: Int16Array): number {
  let sum = 0;
  for (let i = 0; i < pcm.length; i++) sum += pcm[i]! * pcm[i]!;
  return sum / pcm.length;
}

/** Sums of samples as samples: those that are too loud are bent, which is heard less than what is cut off. */
export function limit(sums: Int32Array, out: Int16Array): void {
  for (let i = 0; i < out.length; i++) {
    const sum = sums[i]!;
    out[i] = sum <= KNEE && sum >= -KNEE ? sum : sum > 0 ? bent(sum) : -bent(-sum);
  }
}

const bent = (sum: number): number =>
  Math.round(KNEE + (FULL - KNEE) * (1 - Math.exp((KNEE - sum) / (FULL - KNEE))));
