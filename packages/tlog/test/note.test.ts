/**
 * Signed notes, verifier keys, checkpoints and cosignatures. Recorded values are those of Go's golang.org/x/mod/sumdb/note
 * (the PeterNeumann key and note) and the examples of the C2SP documents.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  appendSignature,
  type Checkpoint,
  cosignatureLine,
  cosignedBytes,
  emptyRoot,
  encodeCheckpoint,
  encodeVerifierKey,
  type NoteSigner,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  signNote,
  type VerifierKey,
  verifierKey,
  verifyNote,
} from '../src/index.ts';
import { base64, logSigner, signerFrom, toHex, witnessSigner } from './sample-log.ts';

const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PETER_SEED = base64('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz').slice(1);
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNATURE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const NOTE = `${TEXT}\n${SIGNATURE}`;

const SOFA = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

function key(text: string): VerifierKey {
  const parsed = parseVerifierKey(text);
  if (parsed.kind === 'malformed') throw new Error(parsed.reason);
  return parsed.key;
}

describe('a verifier key', () => {
  test('of Go is read, hashed and written the same', () => {
    expect(toHex(key(PETER).keyId)).toBe('c74f20a3');
    expect(encodeVerifierKey(verifierKey('PeterNeumann', key(PETER).publicKey))).toBe(PETER);
  });

  test('is refused in every part and after every change of a letter', () => {
    for (let start = 0; start < PETER.length; start++) {
      for (let end = start; end <= PETER.length; end++) {
        const whole = start === 0 && end === PETER.length;
        expect(parseVerifierKey(PETER.slice(start, end)).kind).toBe(whole ? 'parsed' : 'malformed');
      }
      const other = String.fromCharCode(PETER.charCodeAt(start) + 1);
      expect(parseVerifierKey(PETER.slice(0, start) + other + PETER.slice(start + 1)).kind).toBe('malformed');
    }
  });

  test('is refused with an unknown algorithm or key length even when its hash fits', () => {
    expect(parseVerifierKey('PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW').kind).toBe(
      'malformed',
    );
    expect(parseVerifierKey('PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==').kind).toBe(
      'malformed',
    );
  });

  test('cannot be made with a name that breaks the signature line', () => {
    for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u00a0b', 'a\u0085b', 'a\u0001b', '\ud800']) {
      expect(() => verifierKey(name, new Uint8Array(32)), JSON.stringify(name)).toThrow(/outside its range/);
    }
  });
});

describe('a signed note', () => {
  test('of Go verifies, and signing again gives the same bytes', async () => {
    expect(await verifyNote(NOTE, [key(PETER)])).toEqual({ kind: 'verified', text: TEXT, by: [{ key: key(PETER) }] });
    expect(await signNote(TEXT, await signerFrom('PeterNeumann', PETER_SEED))).toBe(NOTE);
  });

  test('fails after a change of any one letter', async () => {
    for (let at = 0; at < NOTE.length; at++) {
      const other = NOTE[at] === 'x' ? 'y' : 'x';
      const verdict = await verifyNote(NOTE.slice(0, at) + other + NOTE.slice(at + 1), [key(PETER)]);
      if (verdict.kind === 'verified') expect.fail(`letter ${at}`);
    }
  });

  test('ignores signatures of unknown keys and reports each known key once', async () => {
    const [alice, bob] = [await logSigner(), await witnessSigner()];
    const byAlice = await signNote(TEXT, alice);
    const both = appendSignature(byAlice, (await signNote(TEXT, bob)).slice(TEXT.length + 1));
    const twice = appendSignature(both, byAlice.slice(TEXT.length + 1));
    const [a, b] = [verifierKey(alice.name, alice.publicKey), verifierKey(bob.name, bob.publicKey)];
    expect(await verifyNote(twice, [a])).toMatchObject({ kind: 'verified', by: [{ key: { name: alice.name } }] });
    expect(await verifyNote(twice, [b, a])).toMatchObject({ kind: 'verified', by: [{ key: b }, { key: a }] });
    expect(await verifyNote(twice, [key(PETER)])).toMatchObject({ kind: 'rejected', code: 'ERR_TLOG_SIGNATURE' });
    expect(await verifyNote(twice, [])).toMatchObject({ kind: 'rejected' });
  });

  test('is rejected as a whole when one known key signed wrongly', async () => {
    const [alice, bob] = [await logSigner(), await witnessSigner()];
    const elsewhere = (await signNote('another text\n', bob)).slice('another text\n'.length + 1);
    const note = appendSignature(await signNote(TEXT, alice), elsewhere);
    const [a, b] = [verifierKey(alice.name, alice.publicKey), verifierKey(bob.name, bob.publicKey)];
    expect((await verifyNote(note, [a])).kind).toBe('verified');
    expect(await verifyNote(note, [a, b])).toMatchObject({ kind: 'rejected', code: 'ERR_TLOG_SIGNATURE' });
  });

  test('must have its exact form', () => {
    const malformed = [
      TEXT,
      `${TEXT}\n`,
      NOTE.trimEnd(),
      `${TEXT}${SIGNATURE}`,
      NOTE.replace('— ', '- '),
      NOTE.replace('PeterNeumann ', 'Peter Neumann '),
      NOTE.replace('JnAM=', 'JnAN='),
      NOTE.replace('\nthen', '\r\nthen'),
      `${NOTE}\n`,
      `\n\n${SIGNATURE}x`,
      `${TEXT}\n${SIGNATURE.repeat(101)}`,
    ];
    for (const note of malformed) expect(parseNote(note), JSON.stringify(note)).toMatchObject({ kind: 'malformed' });
    expect(parseNote(`an\n\nempty line\n\n${SIGNATURE}`)).toMatchObject({ kind: 'parsed', text: 'an\n\nempty line\n' });
  });

  test('cannot be asked to tell apart two keys of one name and id', async () => {
    await expect(verifyNote(NOTE, [key(PETER), key(PETER)])).rejects.toThrow(/one name and id/);
  });
});

describe('a checkpoint', () => {
  let log: NoteSigner;
  let witness: NoteSigner;
  let checkpoint: Checkpoint;
  beforeAll(async () => {
    [log, witness] = [await logSigner(), await witnessSigner()];
    checkpoint = { origin: log.name, size: 0, root: emptyRoot() };
  });

  test('is read from the example of the specification', () => {
    const note = parseNote(SOFA);
    expect(note).toMatchObject({ kind: 'parsed', signatures: [{ name: 'example.com/behind-the-sofa' }, {}] });
    expect(parseCheckpoint(note.kind === 'parsed' ? note.text : '')).toEqual({
      kind: 'parsed',
      checkpoint: {
        origin: 'example.com/behind-the-sofa',
        size: 20_852_163,
        root: base64('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='),
      },
      extensions: [],
    });
  });

  test('has one spelling', () => {
    const text = encodeCheckpoint(checkpoint);
    expect(parseCheckpoint(text)).toEqual({ kind: 'parsed', checkpoint, extensions: [] });
    const spellings = [text.trimEnd(), text.replace('\n0\n', '\n00\n'), text.replace('\n0\n', '\n-1\n'), `\n${text}`];
    for (const spelling of [...spellings, `${text}\n`, text.replace('=', ''), '\n0\nAAAA\n']) {
      expect(parseCheckpoint(spelling), JSON.stringify(spelling)).toMatchObject({ kind: 'malformed' });
    }
    expect(parseCheckpoint(`${text}more\n`)).toMatchObject({ kind: 'parsed', extensions: ['more'] });
  });

  test('is believed only when the log named in it has signed', async () => {
    const logKey = verifierKey(log.name, log.publicKey);
    const witnessKeys = [verifierKey(witness.name, witness.publicKey, 'cosignature/v1')];
    const note = await signNote(encodeCheckpoint(checkpoint), log);
    expect(await openCheckpoint(note, { logKey })).toEqual({ kind: 'verified', checkpoint, cosignedBy: [] });

    const foreign = await signNote(encodeCheckpoint({ ...checkpoint, origin: 'other.example/log' }), log);
    expect(await openCheckpoint(foreign, { logKey })).toMatchObject({ kind: 'rejected', code: 'ERR_TLOG_CHECKPOINT' });

    const line = await cosignatureLine(note, witness, 1_790_000_000);
    const witnessed = `${encodeCheckpoint(checkpoint)}\n${line}`;
    expect(await openCheckpoint(witnessed, { logKey, witnessKeys })).toMatchObject({ code: 'ERR_TLOG_SIGNATURE' });
  });

  test('carries the time of each witness that cosigned', async () => {
    const logKey = verifierKey(log.name, log.publicKey);
    const witnessKeys = [verifierKey(witness.name, witness.publicKey, 'cosignature/v1')];
    const note = await signNote(encodeCheckpoint(checkpoint), log);
    const cosigned = appendSignature(note, await cosignatureLine(note, witness, 1_790_000_000));
    expect(await openCheckpoint(cosigned, { logKey, witnessKeys })).toMatchObject({
      cosignedBy: [{ name: witness.name, time: 1_790_000_000 }],
    });
    expect(await openCheckpoint(cosigned, { logKey })).toMatchObject({ cosignedBy: [] });
  });

  test('is cosigned over the bytes of the specification, with the time first', async () => {
    const note = parseNote(SOFA);
    if (note.kind === 'malformed') expect.fail(note.reason);
    expect(new TextDecoder().decode(cosignedBytes(note.text, 1_679_315_147))).toBe(
      'cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n',
    );
    expect(toHex(note.signatures[1]!.signature.slice(0, 8))).toBe('00000000641850cb');
    const line = await cosignatureLine(SOFA, witness, 1_679_315_147);
    const own = parseNote(`${note.text}\n${line}`);
    expect(own).toMatchObject({ kind: 'parsed', signatures: [{ name: witness.name }] });
    expect(toHex(base64(line.split(' ')[2]!.trim()).slice(4, 12))).toBe('00000000641850cb');
  });

  test('is not cosigned when its time, its key type or any bit of the cosignature is changed', async () => {
    const logKey = verifierKey(log.name, log.publicKey);
    const witnessKeys = [verifierKey(witness.name, witness.publicKey, 'cosignature/v1')];
    const note = await signNote(encodeCheckpoint(checkpoint), log);
    const line = await cosignatureLine(note, witness, 1_790_000_000);
    const blob = base64(line.split(' ')[2]!.trim());
    for (let at = 4; at < blob.length; at++) {
      const changed = blob.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      const text = btoa(String.fromCharCode(...changed));
      const opened = await openCheckpoint(`${note}— ${witness.name} ${text}\n`, { logKey, witnessKeys });
      if (opened.kind === 'verified') expect.fail(`byte ${at}`);
    }
    await expect(cosignatureLine(note, witness, -1)).rejects.toThrow(/outside its range/);
    await expect(cosignatureLine('no note', witness, 1)).rejects.toThrow(/malformed/);
  });
});
