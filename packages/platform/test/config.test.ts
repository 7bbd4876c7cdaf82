/**
 * Configuration files: what is wrong is named by file, line and column, nothing unknown is passed over, and what is
 * left out gets its default. No test here reads anything but the text it wrote.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SealpostError } from '@sealpost/protocol';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { databaseConfigSchema, loadConfig, parseConfig } from '../src/index.ts';

const schema = z.strictObject({
  name: z.string(),
  port: z.int().min(1).default(8443),
  limits: z.strictObject({ bytes: z.int().default(65_536) }).prefault({}),
  peers: z.array(z.string()).default([]),
});

const folder = mkdtempSync(join(tmpdir(), 'sealpost-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function refusalOf(read: () => unknown): SealpostError {
  try {
    read();
  } catch (error) {
    if (error instanceof SealpostError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

/** The places a text is refused at, in order. */
function placesOf(text: string): string[] {
  const error = refusalOf(() => parseConfig(schema, text, 'a.yaml'));
  expect(error.code).toBe('ERR_CONFIG_INVALID');
  return error.details.map(({ pointer }) => pointer);
}

test('what the file leaves out is filled with its default', () => {
  expect(parseConfig(schema, 'name: acme\n', 'a.yaml')).toEqual({
    name: 'acme',
    port: 8443,
    limits: { bytes: 65_536 },
    peers: [],
  });
});

test('what the file says wins over the default', () => {
  const text = 'name: acme\nport: 9000\nlimits:\n  bytes: 1\npeers: [a, b]\n';
  expect(parseConfig(schema, text, 'a.yaml')).toEqual({
    name: 'acme',
    port: 9000,
    limits: { bytes: 1 },
    peers: ['a', 'b'],
  });
});

test('the database section asks for everything but port and pool', () => {
  const required = { host: '/run', database: 'd', user: 'u', password_file: '/p' };
  expect(databaseConfigSchema.parse(required)).toEqual({ ...required, port: 5432, pool: 10 });
  for (const left of Object.keys(required))
    expect(databaseConfigSchema.safeParse({ ...required, [left]: undefined }).success).toBe(false);
});

test('an unknown key is refused at its own line and column, and named', () => {
  const error = refusalOf(() => parseConfig(schema, 'name: acme\nlimits:\n  bytes: 1\n  size: 2\n', 'a.yaml'));
  expect(error.details).toEqual([{ pointer: 'a.yaml:4:3', detail: '/limits: Unrecognized key: "size"' }]);
});

test('of several unknown keys each is refused at its own place', () => {
  expect(placesOf('one: 1\nname: acme\ntwo: 2\nlimits:\n  three: 3\n').sort()).toEqual([
    'a.yaml:1:1',
    'a.yaml:3:1',
    'a.yaml:5:3',
  ]);
});

test.each(['__proto__', 'constructor', '<<'])('the key %s is unknown like any other', (key) => {
  expect(placesOf(`name: acme\n${key}: {port: 1}\n`)).toEqual(['a.yaml:2:1']);
});

test('a key given twice is refused at the second', () => {
  expect(placesOf('name: acme\nport: 1\nname: other\n')).toEqual(['a.yaml:3:1']);
});

test('a wrong value is refused at the value', () => {
  expect(placesOf('name: acme\nport: often\n')).toEqual(['a.yaml:2:7']);
  expect(placesOf('name: acme\npeers: [a, 3]\n')).toEqual(['a.yaml:2:12']);
});

test('a missing required key is refused at the section that lacks it, with its path', () => {
  const error = refusalOf(() => parseConfig(schema, 'port: 1\n', 'a.yaml'));
  expect(error.details).toHaveLength(1);
  expect(error.details[0]?.pointer).toBe('a.yaml:1:1');
  expect(error.details[0]?.detail).toMatch(/^\/name: /);
});

test('an empty file lacks its required keys and is no crash', () => {
  expect(placesOf('')).toEqual(['a.yaml:1:1']);
  expect(placesOf('# nothing yet\n')).toEqual(['a.yaml:1:1']);
});

test('a syntax error is refused at its line and column, without the text around it', () => {
  const error = refusalOf(() => parseConfig(schema, 'name: acme\npeers: [hush, "secret\n', 'a.yaml'));
  expect(error.code).toBe('ERR_CONFIG_INVALID');
  for (const { pointer } of error.details) expect(pointer).toMatch(/^a\.yaml:[23]:\d+$/);
  expect(JSON.stringify(error.details)).not.toMatch(/hush|secret/);
});

test('a file is one document', () => {
  expect(placesOf('name: acme\n---\nname: other\n')).toEqual(['a.yaml:2:1']);
});

test('an alias is refused at its place, whether or not its anchor exists', () => {
  expect(placesOf('name: &a acme\npeers: [*a]\n')).toEqual(['a.yaml:2:9']);
  expect(placesOf('name: *nowhere\n')).toContain('a.yaml:1:7');
});

test('aliases that would unfold into gigabytes are refused, not unfolded', () => {
  const levels = Array.from({ length: 30 }, (_, at) => `l${at + 1}: &l${at + 1} [${`*l${at}, `.repeat(10)}]`);
  const error = refusalOf(() => parseConfig(schema, `l0: &l0 lol\n${levels.join('\n')}\n`, 'a.yaml'));
  expect(error.code).toBe('ERR_CONFIG_INVALID');
});

test('a file on disk is read by its path, which its errors name', () => {
  const path = join(folder, 'good.yaml');
  writeFileSync(path, 'name: acme\nport: x\n');
  expect(refusalOf(() => loadConfig(schema, path)).details[0]?.pointer).toBe(`${path}:2:7`);
  writeFileSync(path, 'name: acme\n');
  expect(loadConfig(schema, path).name).toBe('acme');
});

test('a file that cannot be read is refused with its path and the reason of the system', () => {
  const missing = join(folder, 'missing.yaml');
  const error = refusalOf(() => loadConfig(schema, missing));
  expect(error.code).toBe('ERR_CONFIG_UNREADABLE');
  expect(error.details).toEqual([{ pointer: missing, detail: 'ENOENT' }]);
  expect(refusalOf(() => loadConfig(schema, folder)).details).toEqual([{ pointer: folder, detail: 'EISDIR' }]);
});
