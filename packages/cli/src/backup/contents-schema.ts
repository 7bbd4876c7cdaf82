/**
 * What is inside a backup's seal: lines of JSON. A row is an array of its columns as PostgreSQL writes them as text; every
 * other line is an object that says its kind. The last one is the manifest, signed by the zone.
 */
import { base64urlSchema, blobIdSchema, organisationSchema, timestampSchema } from '@sealpost/protocol';
import { z } from 'zod';

export const CONTENTS_FORMAT = 1;
export const MANIFEST_TYPE = 'sealpost-backup+jws';

export const zoneSchema = z.enum(['control', 'gateway', 'dispatcher']);

/** Names become SQL identifiers and file names. */
const identifier = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/);
const fileName = z.enum(['trust', 'root', 'certificate', 'certificate-key', 'certificate-ca']);
const keyName = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/);
const bytes = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));

const itemSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), name: fileName, data: bytes }),
  z.strictObject({ kind: z.literal('key'), name: keyName, data: bytes }),
  z.strictObject({ kind: z.literal('table'), name: identifier, columns: z.array(identifier).max(1000) }),
  z.strictObject({ kind: z.literal('sequence'), name: identifier, value: z.string().regex(/^[0-9]{1,19}$/) }),
  z.strictObject({ kind: z.literal('blob'), name: blobIdSchema }),
  z.strictObject({ kind: z.literal('bytes'), data: bytes }),
  /** A dispatcher signs nothing: its key and trust file are held to the root instead. */
  z.strictObject({ kind: z.literal('end'), manifest: z.string() }),
]);
export type FileName = z.infer<typeof fileName>;
export type Item = z.infer<typeof itemSchema>;
export type Row = readonly (string | null)[];

export const tableSummarySchema = z.strictObject({
  name: identifier,
  rows: z.int().min(0),
  /** Of all rows, in whatever order: see digest.ts. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});
export type TableSummary = z.infer<typeof tableSummarySchema>;

export const manifestSchema = z.strictObject({
  v: z.literal(CONTENTS_FORMAT),
  zone: zoneSchema,
  organisation: organisationSchema,
  taken: timestampSchema,
  /** Of the program that wrote it. */
  version: z.string().max(40),
  migrations: z.array(z.int().min(0)),
  tables: z.array(tableSummarySchema),
  keys: z.array(keyName),
  /** Names only: what the zone's key folder holds and a backup does not. */
  leftOut: z.int().min(0),
  blobs: z.int().min(0),
  /** Newest checkpoint, gateway only. */
  checkpoint: z.string().max(16_384).optional(),
  /** SHA-256 of all lines before this one. */
  contents: base64urlSchema(43),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** A row or an item; `undefined` for what is neither. */
export function readLine(line: string): Row | Item | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  // Most lines by far are rows, and zod would be most of the time.
  if (Array.isArray(value)) return value.every(isColumn) ? (value as Row) : undefined;
  return itemSchema.safeParse(value).data;
}

function isColumn(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

export function isRow(line: Row | Item): line is Row {
  return Array.isArray(line);
}
