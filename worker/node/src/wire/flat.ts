// What the generated code leaves out: the envelope, vectors, ids.
import * as flatbuffers from "flatbuffers";
import { BrokenMessage } from "../errors.js";
import { PROTOCOL_VERSION } from "../limits.js";
import { halvesOf, uuidOf } from "../uuid.js";
import { Body } from "./schema/body.js";
import { Envelope } from "./schema/envelope.js";
import { HeldLease as HeldLeaseStruct } from "./schema/held-lease.js";
import { Uuid } from "./schema/uuid.js";
import type { HeldLease } from "./messages.js";
import { verify } from "./verifier.js";

/** A verified buffer, from which the root can be read. Throws BrokenMessage. */
export function openBuffer(
  frame: Uint8Array,
  table: string,
  identifier: string,
): flatbuffers.ByteBuffer {
  verify(frame, table, identifier);
  return new flatbuffers.ByteBuffer(frame);
}

/** What a reader of one kind of message gets. */
export interface Received {
  readonly envelope: Envelope;
  readonly request: number;
  readonly bundle: Uint8Array;
}

// What a bundle may come with.
const BUNDLED = new Set([Body.Dispatch, Body.Finished, Body.TaskList]);

/** Opens a message's frames and hands it to its reader; one without a reader is of a later protocol. */
export function readMessage<Message>(
  frames: readonly Uint8Array[],
  readers: ReadonlyMap<Body, (received: Received) => Message>,
  unknown: Message,
): Message {
  const [control, bundle] = frames;
  if (control === undefined || frames.length > 2) {
    throw new BrokenMessage(`${frames.length} frames`);
  }
  const envelope = Envelope.getRootAsEnvelope(openBuffer(control, "Envelope", "MRC1"));
  if (envelope.protocolVersion() !== PROTOCOL_VERSION) {
    throw new BrokenMessage(`protocol version ${envelope.protocolVersion()}`);
  }
  if (envelope.bodyType() === Body.NONE) throw new BrokenMessage("a control frame without a body");
  const read = readers.get(envelope.bodyType());
  if (read === undefined) return unknown;
  if (bundle !== undefined && bundle.length > 0 && !BUNDLED.has(envelope.bodyType())) {
    throw new BrokenMessage("a bundle with a message that has none");
  }
  const request = numberOf(envelope.request());
  return read({ envelope, request, bundle: bundle ?? new Uint8Array() });
}

/** The body of an envelope as the table that its type says. */
export function bodyOf<Table extends flatbuffers.Table | { bb: flatbuffers.ByteBuffer | null }>(
  received: Received,
  table: Table,
): Table {
  const body: unknown = received.envelope.body(table);
  if (body === null) throw new BrokenMessage("a message without a body");
  return table;
}

/** The elements of a vector. */
export function listOf<Raw, Item>(
  length: number,
  at: (index: number) => Raw | null,
  read: (raw: Raw) => Item,
): Item[] {
  const items: Item[] = [];
  for (let index = 0; index < length; index++) {
    items.push(read(present(at(index))));
  }
  return items;
}

export function present<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined) throw new BrokenMessage("a field is missing");
  return value;
}

/** A counter of the protocol that no program drives beyond 2^53. */
export function numberOf(value: bigint): number {
  return Number(value);
}

export function readUuid(uuid: Uuid | null): string {
  const found = present(uuid);
  return uuidOf(found.high(), found.low());
}

export function readLease(lease: {
  task(): Uuid | null;
  fence(): bigint;
}): HeldLease {
  return { task: readUuid(lease.task()), fence: lease.fence() };
}

// ---- writing --------------------------------------------------------------------------------------

export function newBuilder(bytesExpected = 256): flatbuffers.Builder {
  return new flatbuffers.Builder(bytesExpected);
}

/** Adds a vector of structs; `write` is called for the last element first, as builders work. */
export function structVector<Item>(
  builder: flatbuffers.Builder,
  items: readonly Item[],
  structBytes: number,
  write: (item: Item) => void,
): flatbuffers.Offset {
  builder.startVector(structBytes, items.length, 8);
  for (let index = items.length - 1; index >= 0; index--) write(items[index] as Item);
  return builder.endVector();
}

export function uuidVector(
  builder: flatbuffers.Builder,
  uuids: readonly string[],
): flatbuffers.Offset {
  return structVector(builder, uuids, Uuid.sizeOf(), (uuid) => writeUuid(builder, uuid));
}

export function leaseVector(
  builder: flatbuffers.Builder,
  leases: readonly HeldLease[],
): flatbuffers.Offset {
  return structVector(builder, leases, HeldLeaseStruct.sizeOf(), ({ task, fence }) => {
    HeldLeaseStruct.createHeldLease(builder, ...halvesOf(task), fence);
  });
}

export function writeUuid(builder: flatbuffers.Builder, uuid: string): flatbuffers.Offset {
  return Uuid.createUuid(builder, ...halvesOf(uuid));
}

export function finishEnvelope(
  builder: flatbuffers.Builder,
  type: Body,
  body: flatbuffers.Offset,
  request = 0,
): Uint8Array {
  Envelope.startEnvelope(builder);
  Envelope.addProtocolVersion(builder, PROTOCOL_VERSION);
  Envelope.addRequest(builder, BigInt(request));
  Envelope.addBodyType(builder, type);
  Envelope.addBody(builder, body);
  builder.finish(Envelope.endEnvelope(builder), "MRC1");
  return builder.asUint8Array();
}
