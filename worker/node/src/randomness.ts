/** Uniform in [0, 1), as Math.random; tests give their own. */
export type Randomness = () => number;

/** Uniform in [0, min(initial * 2^round, most)]: full jitter, so that peers spread after an outage. */
export function fullJitterMs(
  initialMs: number,
  mostMs: number,
  round: number,
  randomness: Randomness,
): number {
  return randomness() * Math.min(initialMs * 2 ** round, mostMs);
}
