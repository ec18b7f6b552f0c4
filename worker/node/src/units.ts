// Durations are milliseconds in programs, and whole nanoseconds on the wire. Times of the sessions are
// monotonic milliseconds.

export const NEVER_MS = Number.POSITIVE_INFINITY;

export function nanosecondsOf(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1_000)) * 1_000n;
}

export function millisecondsOf(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1_000_000;
}

/** For people: "250ms", "10s", "5m". */
export function durationText(milliseconds: number): string {
  for (const [unit, length] of [
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
  ] as const) {
    if (milliseconds >= length && milliseconds % length === 0) return `${milliseconds / length}${unit}`;
  }
  return `${Math.round(milliseconds)}ms`;
}
