/**
 * One URL for a PostgreSQL server (libpq's form, PostgreSQL documentation section 32.1.1.2). Of libpq's TLS modes only two
 * are taken: `verify-full`, and `disable` on this machine; those between encrypt to whoever answers.
 */
import { readFileSync } from 'node:fs';

/** The server's certificate must be of this name and of the CA in the file, or of one the system trusts. */
export interface DatabaseTls {
  readonly server: string;
  readonly ca_file?: string;
}

export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly tls?: DatabaseTls;
}

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];
const KNOWN = ['sslmode', 'sslrootcert'];

/** What is wrong as a sentence; it never quotes the URL, in which somebody may have left a password. */
export function readDatabaseUrl(text: string): DatabaseAddress | string {
  const url = URL.parse(text);
  if (url === null || !['postgresql:', 'postgres:'].includes(url.protocol))
    return 'must be a URL of the form postgresql://role@host:5432/database';
  if (url.password !== '') return 'must hold no password: it belongs in password_file';
  const [host, user] = [decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1'), decodeURIComponent(url.username)];
  const database = decodeURIComponent(url.pathname.slice(1));
  if (host === '' || user === '' || database === '' || database.includes('/'))
    return 'must name role, host and database';
  if (url.hash !== '' || [...url.searchParams.keys()].some((name) => !KNOWN.includes(name)))
    return `takes no parameters but ${KNOWN.join(' and ')}`;
  const local = host.startsWith('/') || LOOPBACK.includes(host);
  const [ca, mode] = [url.searchParams.get('sslrootcert'), url.searchParams.get('sslmode')];
  if (mode !== null && mode !== 'verify-full' && !(mode === 'disable' && local && ca === null))
    return 'takes sslmode=verify-full, and sslmode=disable for a server on this machine';
  const address = { host, port: url.port === '' ? 5432 : Number(url.port), database, user };
  if (local && mode !== 'verify-full' && ca === null) return address;
  return { ...address, tls: { server: host, ...(ca === null ? {} : { ca_file: ca }) } };
}

/** As `pg` hands them to node:tls. */
export function tlsOptions({ server, ca_file }: DatabaseTls) {
  return {
    servername: server,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca_file === undefined ? {} : { ca: readFileSync(ca_file, 'utf8') }),
  } as const;
}
