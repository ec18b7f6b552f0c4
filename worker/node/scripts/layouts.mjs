// The layouts that the verifier needs, read from the schemas: for each table its fields by their ids.
// flatc makes no verifier for TypeScript.

const SCALARS = { bool: 1, ubyte: 1, ushort: 2, uint: 4, ulong: 8, long: 8 };

/** `texts`: the schemas. Returns a TypeScript module's text. */
export function layoutModule(texts) {
  const declarations = new Map(texts.flatMap(declarationsOf));
  const tables = [...declarations]
    .filter(([, declaration]) => declaration.kind === "table")
    .map(([name, { fields }]) => `  ${name}: [${fieldsById(fields, declarations).join(", ")}],`);
  return [
    "// Generated from the schemas, never committed.",
    'import type { Field } from "../verifier.js";',
    "",
    "export const LAYOUTS: Readonly<Record<string, readonly (Field | undefined)[]>> = {",
    ...tables,
    "};",
    "",
  ].join("\n");
}

function* blocksOf(text) {
  const bare = text.replaceAll(/\/\/.*$/gm, "");
  for (const found of bare.matchAll(/\b(table|struct|enum|union)\s+(\w+)[^{]*\{([^}]*)\}/g)) {
    yield { kind: found[1], name: found[2], body: found[3] };
  }
}

function declarationsOf(text) {
  return [...blocksOf(text)].map(({ kind, name, body }) => {
    if (kind === "union") return [name, { kind, members: body.match(/\w+/g) }];
    if (kind === "enum") return [name, { kind }];
    const lines = body.split(";").filter((line) => line.trim() !== "");
    return [name, { kind, fields: lines.map(fieldOf) }];
  });
}

function fieldOf(line) {
  const found = /(\w+)\s*:\s*(\[?)(\w+)\]?\s*(?:=\s*[\w-]+)?\s*(?:\(id:\s*(\d+)\))?\s*$/.exec(line);
  if (found === null) throw new Error(`not a field: ${line}`);
  return { isVector: found[2] === "[", type: found[3], id: Number(found[4]) };
}

/** Size and alignment of what lies inline: a scalar, an enum or a struct. */
function inlineOf(type, declarations) {
  const size = SCALARS[type] ?? (declarations.get(type)?.kind === "enum" ? 1 : undefined);
  if (size !== undefined) return { bytes: size, align: size };
  const declaration = declarations.get(type);
  if (declaration?.kind !== "struct") return undefined;
  let bytes = 0;
  let align = 1;
  for (const field of declaration.fields) {
    const inner = inlineOf(field.type, declarations);
    bytes = Math.ceil(bytes / inner.align) * inner.align + inner.bytes;
    align = Math.max(align, inner.align);
  }
  return { bytes: Math.ceil(bytes / align) * align, align };
}

function fieldsById(fields, declarations) {
  const byId = [];
  for (const { isVector, type, id } of fields) {
    const inline = inlineOf(type, declarations);
    const declaration = declarations.get(type);
    if (declaration?.kind === "union") {
      byId[id - 1] = '{ kind: "inline", bytes: 1, align: 1 }';
      const members = declaration.members.map((member) => `"${member}"`).join(", ");
      byId[id] = `{ kind: "union", typeField: ${id - 1}, tables: [${members}] }`;
    } else if (inline !== undefined) {
      const kind = isVector ? "vector" : "inline";
      byId[id] = `{ kind: "${kind}", bytes: ${inline.bytes}, align: ${inline.align} }`;
    } else if (type === "string") {
      byId[id] = `{ kind: "${isVector ? "strings" : "string"}" }`;
    } else {
      byId[id] = `{ kind: "${isVector ? "tables" : "table"}", table: "${type}" }`;
    }
  }
  return Array.from(byId, (field) => field ?? "undefined");
}
