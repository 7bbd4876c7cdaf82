/**
 * What a database holds, asked of PostgreSQL's own catalog: a migration that adds a table or a column changes nothing here.
 * Tables come in the order in which their foreign keys let them be filled.
 */
import type { Sql } from '@sealpost/platform';

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
}

export interface Column {
  readonly name: string;
  /** As `format_type` spells it, for example `smallint` or `text[]`. */
  readonly type: string;
}

/** Generated columns are computed again from the others. */
const COLUMNS = `
SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attgenerated = '' ORDER BY c.relname, a.attnum`;

const REFERENCES = `
SELECT DISTINCT f.relname AS "from", t.relname AS "to" FROM pg_constraint k
JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
WHERE k.contype = 'f' AND f.relnamespace = 'public'::regnamespace AND f.oid <> t.oid`;

const SEQUENCES = `
SELECT sequencename::text AS name, last_value::text AS value FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL ORDER BY 1`;

export async function tablesOf(sql: Sql): Promise<Table[]> {
  const rows = await sql.query<{ table: string; name: string; type: string }>('backup-columns', COLUMNS);
  const references = await sql.query<{ from: string; to: string }>('backup-references', REFERENCES);
  const tables = new Map<string, Column[]>();
  for (const { table, name, type } of rows) tables.set(table, [...(tables.get(table) ?? []), { name, type }]);
  return inOrder([...tables.keys()], references).map((name) => ({ name, columns: tables.get(name) ?? [] }));
}

export function sequencesOf(sql: Sql): Promise<{ name: string; value: string }[]> {
  return sql.query<{ name: string; value: string }>('backup-sequences', SEQUENCES);
}

/** Tables that refer to each other in a circle are left in any order; PostgreSQL then says so. */
function inOrder(names: readonly string[], references: readonly { from: string; to: string }[]): string[] {
  const ordered = new Set<string>();
  const visiting = new Set<string>();
  const visit = (name: string) => {
    if (ordered.has(name) || visiting.has(name)) return;
    visiting.add(name);
    for (const { from, to } of references) if (from === name) visit(to);
    ordered.add(name);
  };
  for (const name of names) visit(name);
  return [...ordered];
}
