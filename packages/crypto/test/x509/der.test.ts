import { toHex } from '@sealpost/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as read from '../../src/x509/der-read.ts';
import * as write from '../../src/x509/der-write.ts';
import { TAG } from '../../src/x509/oid.ts';

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const one = (hex: string) => read.elements(bytes(hex))[0];

test('lengths have the shortest form and no other is read', () => {
  for (const length of [0, 127, 128, 255, 256, 5000]) {
    const whole = write.octets(new Uint8Array(length));
    expect(read.only(whole, TAG.octetString).content).toHaveLength(length);
  }
  for (const wrong of ['048100', '04820001ff', '0480', '0483000001ff', '04', '0401', '1f0100']) {
    expect(() => read.elements(bytes(wrong)), wrong).toThrow(read.DerError);
  }
});

test('integers round-trip in the fewest octets', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 33 }), (value) => {
      const start = value.findIndex((octet) => octet !== 0);
      const shortest = start === -1 ? Uint8Array.of(0) : value.subarray(start);
      expect(toHex(read.unsigned(one(toHex(write.integer(value)))))).toBe(toHex(shortest));
    }),
  );
  for (const wrong of ['0200', '020180', '02020001', '0202ff80'])
    expect(() => read.unsigned(one(wrong)), wrong).toThrow(read.DerError);
});

test('object identifiers round-trip and padded arcs are refused', () => {
  for (const oid of ['1.2.840.10045.4.3.2', '2.5.29.17', '2.23.146.2.1.3', '0.9', '2.999.3']) {
    expect(read.objectId(one(toHex(write.objectId(oid))))).toBe(oid);
  }
  for (const wrong of ['0600', '06022a80', '06032a8001'])
    expect(() => read.objectId(one(wrong)), wrong).toThrow(read.DerError);
});

test('times round-trip across the change of form in 2050, and impossible or local times are refused', () => {
  for (const at of ['1970-01-01T00:00:00.000Z', '2049-12-31T23:59:59.000Z', '2050-01-01T00:00:00.000Z']) {
    const written = write.time(Date.parse(at));
    expect(written[0]).toBe(at < '2050' ? TAG.utcTime : TAG.generalizedTime);
    expect(new Date(read.time(read.elements(written)[0])).toISOString()).toBe(at);
  }
  const utc = (text: string) => write.element(TAG.utcTime, new TextEncoder().encode(text));
  for (const wrong of ['260230000000Z', '2601010000Z', '260101000000+0100', '261301000000Z']) {
    expect(() => read.time(read.elements(utc(wrong))[0]), wrong).toThrow(read.DerError);
  }
});

test('booleans and bit strings have one spelling', () => {
  expect(read.boolean(one('0101ff'))).toBe(true);
  expect(() => read.boolean(one('010101'))).toThrow(read.DerError);
  expect(() => read.bitString(one('03020701'))).toThrow(read.DerError);
  expect(() => read.bitString(one('030101'))).toThrow(read.DerError);
});
