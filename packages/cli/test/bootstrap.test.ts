import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Surroundings, systemSurroundings } from '@sealpost/platform';
import { afterEach, expect, test } from 'vitest';
import { run } from '../../../test/support/program.ts';
import {
  type BootstrapFolders,
  bootstrap,
  readBootstrapped,
  renewServiceCertificates,
  trustFolder,
  ZONES,
} from '../src/bootstrap/bootstrap.ts';

const DAY = 86_400_000;
const system = systemSurroundings();
const at = (now: number): Surroundings => ({ ...system, now: () => now });
const made: string[] = [];

afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

function freshFolders(): BootstrapFolders {
  const base = mkdtempSync(join(tmpdir(), 'sealpost-bootstrap-'));
  made.push(base);
  const zones = {
    control: join(base, 'control'),
    gateway: join(base, 'gateway'),
    dispatcher: join(base, 'dispatcher'),
  };
  return { operator: join(base, 'operator'), zones };
}

const flagsOf = ({ operator, zones }: BootstrapFolders) => [
  '--operator',
  operator,
  ...ZONES.flatMap((zone) => [`--${zone}`, zones[zone]]),
];
const certificateOf = (folder: string) => new X509Certificate(readFileSync(join(folder, 'tls/cert.pem')));

test('bootstrap makes an organisation whose certificates openssl verifies from root over service authority to leaf', async () => {
  const folders = freshFolders();
  const { code, stdout } = await run(['bootstrap', '--json', '--organisation', 'acme.example', ...flagsOf(folders)]);
  expect(code).toBe(0);
  const { rootFingerprint } = JSON.parse(stdout) as { rootFingerprint: string };
  expect((await readBootstrapped(folders.operator)).rootFingerprint).toBe(rootFingerprint);
  for (const zone of ZONES) {
    const folder = folders.zones[zone];
    const [leaf = '', authority = ''] = readFileSync(join(folder, 'tls/cert.pem'), 'utf8').split(
      /(?<=-----END CERTIFICATE-----\n)/,
    );
    const [leafFile, authorityFile] = [join(folder, 'leaf.pem'), join(folder, 'authority.pem')];
    writeFileSync(leafFile, leaf);
    writeFileSync(authorityFile, authority);
    const verified = execFileSync(
      'openssl',
      ['verify', '-x509_strict', '-CAfile', join(folder, 'root.pem'), '-untrusted', authorityFile, leafFile],
      { encoding: 'utf8' },
    );
    expect(verified).toMatch(/leaf\.pem: OK/);
    expect(certificateOf(folder).subjectAltName).toContain(zone);
  }
});

test('a second bootstrap on the same operator folder is refused and changes nothing', async () => {
  const folders = freshFolders();
  const { trustJws } = await bootstrap('acme.example', folders, system);
  const { code, stderr } = await run(['bootstrap', '--organisation', 'other.example', ...flagsOf(folders)]);
  expect(stderr).toMatch(/ERR_BOOTSTRAP_EXISTS/);
  expect(code).toBe(4);
  expect(readFileSync(join(folders.operator, 'trust.jws'), 'utf8')).toBe(trustJws);
});

test('a bootstrap into folders that hold another organisation’s keys is refused and writes nothing', async () => {
  const [first, second] = [freshFolders(), freshFolders()];
  await bootstrap('acme.example', first, system);
  const mixed = { operator: second.operator, zones: first.zones };
  await expect(bootstrap('other.example', mixed, system)).rejects.toMatchObject({ code: 'ERR_BOOTSTRAP_KEYS' });
  expect(existsSync(second.operator)).toBe(false);
});

test('a bootstrap cut short by a crash is carried out again from the beginning', async () => {
  const folders = freshFolders();
  const { rootFingerprint } = await bootstrap('acme.example', folders, system);
  // As a crash just before the end leaves it: everything but the file that says it is complete.
  rmSync(join(folders.operator, 'trust.jws'));
  const mark = [folders.operator, ...ZONES.map((zone) => folders.zones[zone])];
  writeFileSync(join(folders.operator, 'unfinished.json'), JSON.stringify(mark));
  expect(trustFolder(folders)).toBeUndefined();
  const again = await bootstrap('acme.example', folders, system);
  expect(again.rootFingerprint).not.toBe(rootFingerprint);
  expect(readdirSync(folders.operator)).not.toContain('unfinished.json');
});

test('once the operator’s folder is elsewhere the zones’ own trust file stands for the organisation', async () => {
  const folders = freshFolders();
  await bootstrap('acme.example', folders, system);
  rmSync(folders.operator, { recursive: true });
  expect(trustFolder(folders)).toBe(folders.zones.control);
});

test('renewal issues a new certificate only where less than 30 days are left', async () => {
  const folders = freshFolders();
  const began = system.now();
  await bootstrap('acme.example', folders, at(began));
  const serials = () => ZONES.map((zone) => certificateOf(folders.zones[zone]).serialNumber);
  const first = serials();
  expect(await renewServiceCertificates(folders, at(began + 44 * DAY))).toEqual([]);
  expect(serials()).toEqual(first);
  expect(await renewServiceCertificates(folders, at(began + 46 * DAY))).toEqual([...ZONES]);
  for (const [index, serial] of serials().entries()) expect(serial).not.toBe(first[index]);
  expect(Date.parse(certificateOf(folders.zones.control).validTo)).toBeGreaterThan(began + 120 * DAY);
});

test('bootstrap --renew needs no organisation, and bootstrap without one says what is missing', async () => {
  const folders = freshFolders();
  const missing = await run(['bootstrap', ...flagsOf(folders)]);
  expect(missing.stderr).toMatch(/ERR_BOOTSTRAP_ORGANISATION/);
  expect(missing.stderr).toMatch(/--organisation/);
  await bootstrap('acme.example', folders, system);
  const { code, stdout } = await run(['bootstrap', '--renew', '--json', ...flagsOf(folders)]);
  expect([code, JSON.parse(stdout)]).toEqual([0, { renewed: [] }]);
});

test('an operator folder whose trust file was changed is refused', async () => {
  const folders = freshFolders();
  const { trustJws } = await bootstrap('acme.example', folders, system);
  const [head = '', , seal = ''] = trustJws.split('.');
  const body = Buffer.from(JSON.stringify({ v: 1, organisation: 'evil.example' })).toString('base64url');
  writeFileSync(join(folders.operator, 'trust.jws'), `${head}.${body}.${seal}`);
  await expect(readBootstrapped(folders.operator)).rejects.toMatchObject({ code: 'ERR_BOOTSTRAP_INCOMPLETE' });
});
