// Whether a buffer is what it claims to be, before anything reads it: every offset within it, every
// value on its alignment, every text ended. What has passed can be read without further care.
import { BrokenMessage } from "../errors.js";
import { LAYOUTS } from "./schema/layouts.js";

/** One field of a table. */
export type Field =
  | { readonly kind: "inline"; readonly bytes: number; readonly align: number }
  | { readonly kind: "string" }
  | { readonly kind: "strings" }
  | { readonly kind: "vector"; readonly bytes: number; readonly align: number }
  | { readonly kind: "table"; readonly table: string }
  | { readonly kind: "tables"; readonly table: string }
  | { readonly kind: "union"; readonly typeField: number; readonly tables: readonly string[] };

// The deepest message has five levels; a broker's longest list of tasks has far fewer tables.
const DEPTH_MAX = 8;
const TABLES_MAX = 100_000;
const OFFSET_BYTES = 4;

/** Throws BrokenMessage unless `frame` holds a `table` under `identifier`. */
export function verify(frame: Uint8Array, table: string, identifier: string): void {
  if (frame.length < 8) throw new BrokenMessage(`a frame of ${frame.length} bytes`);
  if (Buffer.from(frame.subarray(4, 8)).toString("latin1") !== identifier) {
    throw new BrokenMessage(`not a frame of kind ${identifier}`);
  }
  const verifier = new Verifier(frame);
  verifier.table(verifier.target(0), table, 0);
}

class Verifier {
  readonly #view: DataView;
  #tables = 0;

  constructor(frame: Uint8Array) {
    this.#view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  }

  /** Where the offset at `position` leads. */
  target(position: number): number {
    this.#require(position, OFFSET_BYTES, OFFSET_BYTES);
    const offset = this.#view.getUint32(position, true);
    if (offset === 0) throw new BrokenMessage("an offset that leads nowhere");
    return position + offset;
  }

  table(position: number, name: string, depth: number): void {
    this.#tables += 1;
    if (depth >= DEPTH_MAX || this.#tables > TABLES_MAX) {
      throw new BrokenMessage("tables too deep or too many");
    }
    this.#require(position, 4, 4);
    const slots = position - this.#view.getInt32(position, true);
    this.#require(slots, 4, 2);
    const slotsBytes = this.#view.getUint16(slots, true);
    const tableBytes = this.#view.getUint16(slots + 2, true);
    if (slotsBytes < 4 || slotsBytes % 2 !== 0) throw new BrokenMessage("a table without slots");
    this.#require(slots, slotsBytes, 2);
    this.#require(position, tableBytes, 1);
    for (const [id, field] of (LAYOUTS[name] ?? []).entries()) {
      const at = this.#field(position, slots, slotsBytes, id);
      if (at === undefined || field === undefined) continue;
      if (field.kind === "union") {
        const typeAt = this.#field(position, slots, slotsBytes, field.typeField);
        const type = typeAt === undefined ? 0 : this.#view.getUint8(typeAt);
        const member = field.tables[type - 1];
        // One of a later protocol is not read, only passed over.
        if (member !== undefined) this.table(this.target(at), member, depth + 1);
      } else {
        this.#value(at, field, depth);
      }
    }
  }

  /** Where field `id` of a table is; undefined when it is left out. */
  #field(position: number, slots: number, slotsBytes: number, id: number): number | undefined {
    const slot = 4 + 2 * id;
    if (slot + 2 > slotsBytes) return undefined;
    const offset = this.#view.getUint16(slots + slot, true);
    return offset === 0 ? undefined : position + offset;
  }

  #value(at: number, field: Exclude<Field, { kind: "union" }>, depth: number): void {
    switch (field.kind) {
      case "inline":
        return this.#require(at, field.bytes, field.align);
      case "string":
        return this.#string(this.target(at));
      case "vector":
        this.#vector(this.target(at), field.bytes, field.align);
        return;
      case "table":
        return this.table(this.target(at), field.table, depth + 1);
      case "strings":
        return this.#each(this.target(at), (element) => {
          this.#string(element);
        });
      case "tables":
        return this.#each(this.target(at), (element) => {
          this.table(element, field.table, depth + 1);
        });
    }
  }

  /** Requires a vector's elements; how many. */
  #vector(position: number, elementBytes: number, align: number): number {
    this.#require(position, 4, 4);
    const length = this.#view.getUint32(position, true);
    this.#require(position + 4, length * elementBytes, align);
    return length;
  }

  #each(position: number, check: (element: number) => void): void {
    const length = this.#vector(position, OFFSET_BYTES, OFFSET_BYTES);
    for (let index = 0; index < length; index++) {
      check(this.target(position + 4 + index * OFFSET_BYTES));
    }
  }

  #string(position: number): void {
    const end = position + 4 + this.#vector(position, 1, 1);
    this.#require(end, 1, 1);
    if (this.#view.getUint8(end) !== 0) throw new BrokenMessage("a text without an end");
  }

  #require(position: number, bytes: number, align: number): void {
    if (position < 0 || position + bytes > this.#view.byteLength) {
      throw new BrokenMessage("a value beyond the frame");
    }
    if (bytes > 0 && position % align !== 0) {
      throw new BrokenMessage("a value off its alignment");
    }
  }
}
