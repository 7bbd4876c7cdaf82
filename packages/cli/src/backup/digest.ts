/**
 * One number for a table's rows, whatever their order: the sum of their SHA-256 modulo 2^256. It finds what went wrong on
 * the way; that nobody forged it is said by the zone's signature over the whole file, not by this.
 */
import { hash } from 'node:crypto';
import type { Row, TableSummary } from './contents-schema.ts';

const MODULUS = 1n << 256n;

export interface TableDigest {
  add(row: Row): void;
  summary(): TableSummary;
}

export function createTableDigest(name: string): TableDigest {
  let [rows, sum] = [0, 0n];
  return {
    add(row) {
      rows += 1;
      sum = (sum + BigInt(`0x${hash('sha256', JSON.stringify(row), 'hex')}`)) % MODULUS;
    },
    summary: () => ({ name, rows, digest: sum.toString(16).padStart(64, '0') }),
  };
}
