// Generates src/wire/schema/ from the schemas by flatc; never committed.
//
// flatc 2.0 writes one file a type below the namespace's folders, and imports them without the file
// extension that Node's own module loader asks for.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { layoutModule } from "./layouts.mjs";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const schemas = process.env.MILLRACE_SCHEMAS ?? join(packageFolder, "../../schemas");
const target = join(packageFolder, "src/wire/schema");

const files = ["uuid", "task", "control", "heartbeat"].map((name) => join(schemas, `${name}.fbs`));
const scratch = mkdtempSync(join(tmpdir(), "millrace-schema-"));
try {
  execFileSync("flatc", ["--ts", "--require-explicit-ids", "-o", scratch, ...files]);
  rmSync(target, { recursive: true, force: true });
  cpSync(join(scratch, "millrace/wire/schema"), target, { recursive: true });
} finally {
  rmSync(scratch, { recursive: true });
}
for (const name of readdirSync(target)) {
  const path = join(target, name);
  const text = readFileSync(path, "utf8");
  const mended = text.replaceAll(/'\.\.\/\.\.\/\.\.\/millrace\/wire\/schema\/([^']+)'/g, "'./$1.js'");
  writeFileSync(path, `// @ts-nocheck\n${mended}`);
}
writeFileSync(
  join(target, "layouts.ts"),
  layoutModule(files.map((file) => readFileSync(file, "utf8"))),
);
