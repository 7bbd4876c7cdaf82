/** Reading strace's output, on lines it wrote for a gateway and a PostgreSQL (addresses shortened, payloads cut). */
import { expect, test } from 'vitest';
import { answersIn } from '../../kill/fsync-order.ts';

const PORT = 7052;
const SOCKET = `24<TCP:[127.0.0.1:${PORT}->127.0.0.1:41822]>`;
const WAL = '7</tmp/sealpost/data/postgres/pg_wal/000000010000000000000001>';

const asked = `812   read(${SOCKET}, "\\27\\3\\3\\4\\342"..., 65536) = 1255`;
const answered = `812   write(${SOCKET}, "\\27\\3\\3\\5"..., 1311) = 1311`;
const flushed = `840   fdatasync(${WAL}) = 0`;

test('an answer written after a flush that began after the request is not early', () => {
  expect(answersIn([asked, flushed, answered], PORT)).toEqual({ count: 1, early: 0, flushes: 1 });
});

test('an answer written without any flush is early, and so is each one like it', () => {
  expect(answersIn([asked, answered, asked, answered], PORT)).toEqual({ count: 2, early: 2, flushes: 0 });
});

test('a flush before the request covers nothing of it', () => {
  expect(answersIn([flushed, asked, answered], PORT).early).toBe(1);
});

test('a flush that was under way when the request came covers nothing of it', () => {
  const begun = `840   fdatasync(${WAL} <unfinished ...>`;
  const returned = '840   <... fdatasync resumed>) = 0';
  expect(answersIn([begun, asked, returned, answered], PORT).early).toBe(1);
  expect(answersIn([asked, begun, returned, answered], PORT).early).toBe(0);
  expect(answersIn([asked, begun, answered, returned], PORT).early).toBe(1);
});

test('a flush that failed covers nothing', () => {
  const failed = `840   fdatasync(${WAL}) = -1 EIO (Input/output error)`;
  expect(answersIn([asked, failed, answered], PORT).early).toBe(1);
});

test('a flush of anything but the WAL covers nothing', () => {
  const other = '840   fdatasync(9</tmp/sealpost/data/gateway/arriving/4f1c>) = 0';
  expect(answersIn([asked, other, answered], PORT)).toEqual({ count: 1, early: 1, flushes: 0 });
});

test('a read that brings nothing is no request, and one that goes on is the same', () => {
  const nothing = `812   read(${SOCKET}, 0x7f2a, 65536) = -1 EAGAIN (Resource temporarily unavailable)`;
  expect(answersIn([nothing, answered], PORT).count).toBe(0);
  expect(answersIn([asked, flushed, asked, answered], PORT)).toEqual({ count: 1, early: 0, flushes: 1 });
});

test('a request whose read was interrupted in the output counts from its return', () => {
  const begun = `812   read(${SOCKET},  <unfinished ...>`;
  const returned = '812   <... read resumed>"\\27\\3\\3\\4\\342"..., 65536) = 1255';
  expect(answersIn([begun, flushed, returned, answered], PORT).early).toBe(1);
});

test('an answer counts from the beginning of its write, and its rest is no second one', () => {
  const begun = `812   write(${SOCKET}, "\\27\\3\\3\\5"..., 1311 <unfinished ...>`;
  const returned = '812   <... write resumed>) = 1311';
  expect(answersIn([asked, begun, flushed, returned, answered], PORT)).toEqual({ count: 1, early: 1, flushes: 1 });
});

test('other connections and lines that are no system call are passed over', () => {
  const toPostgres = '812   write(21<UNIX-STREAM:[5512->5513]>, "P"..., 4211) = 4211';
  const elsewhere = '812   read(25<TCP:[127.0.0.1:7001->127.0.0.1:41823]>, "G"..., 65536) = 90';
  const noise = ['strace: Process 812 attached with 11 threads', '[pid   840] +++ exited with 0 +++', ''];
  expect(answersIn([...noise, elsewhere, asked, toPostgres, flushed, answered], PORT)).toMatchObject({
    count: 1,
    early: 0,
  });
});
