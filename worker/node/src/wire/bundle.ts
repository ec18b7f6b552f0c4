// The bundle: byte strings one after the other, each on a multiple of 8. Their lengths stand in the
// control frame (docs/protocol.md, section 2).
import { BrokenMessage } from "../errors.js";

/** The frame; empty when there are no bytes to carry. */
export function packBundle(strings: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const string of strings) {
    if (string.length > 0) size = alignedUp(size) + string.length;
  }
  const frame = new Uint8Array(size);
  let position = 0;
  for (const string of strings) {
    if (string.length === 0) continue;
    position = alignedUp(position);
    frame.set(string, position);
    position += string.length;
  }
  return frame;
}

/** The strings of these lengths, in place. Throws BrokenMessage when the frame is not exactly theirs. */
export function unpackBundle(frame: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  let position = 0;
  const strings = lengths.map((length) => {
    if (length > 0) position = alignedUp(position);
    const string = frame.subarray(position, position + length);
    position += length;
    return string;
  });
  if (position !== frame.length) {
    throw new BrokenMessage(`a bundle of ${frame.length} bytes where ${position} are announced`);
  }
  return strings;
}

/** Error texts: one after the other without separators. Ill-formed UTF-8 becomes U+FFFD. */
export function splitTexts(texts: Uint8Array, lengths: readonly number[]): string[] {
  let position = 0;
  const decoder = new TextDecoder();
  const split = lengths.map((length) =>
    decoder.decode(texts.subarray(position, (position += length))),
  );
  if (position !== texts.length) {
    throw new BrokenMessage("error texts of another length than announced");
  }
  return split;
}

function alignedUp(position: number): number {
  return Math.ceil(position / 8) * 8;
}
