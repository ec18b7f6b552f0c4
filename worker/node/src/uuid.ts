// Ids of 128 bits: RFC 9562 text in programs, two big-endian halves on the wire.
import { randomFillSync, randomUUID } from "node:crypto";

const TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NIL = "00000000-0000-0000-0000-000000000000";

/** Any UUID but nil. */
export function isTaskId(text: string): boolean {
  return TEXT.test(text) && text !== NIL;
}

/** Requires a UUID's text. */
export function halvesOf(uuid: string): readonly [high: bigint, low: bigint] {
  const digits = uuid.replaceAll("-", "");
  return [BigInt(`0x${digits.slice(0, 16)}`), BigInt(`0x${digits.slice(16)}`)];
}

export function uuidOf(high: bigint, low: bigint): string {
  const left = high.toString(16).padStart(16, "0");
  const right = low.toString(16).padStart(16, "0");
  return (
    `${left.slice(0, 8)}-${left.slice(8, 12)}-${left.slice(12)}-` +
    `${right.slice(0, 4)}-${right.slice(4)}`
  );
}

export function randomId(): string {
  return randomUUID();
}

/** A UUID of version 7: its order is roughly that of time. */
export function newTaskId(): string {
  const bytes = randomFillSync(Buffer.alloc(16));
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return uuidOf(bytes.readBigUInt64BE(0), bytes.readBigUInt64BE(8));
}
