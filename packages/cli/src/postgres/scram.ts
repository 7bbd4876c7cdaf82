/**
 * The SCRAM-SHA-256 verifier of a password (RFC 5803, RFC 7677), in the form PostgreSQL stores. It is
 * computed here so that no statement, log line or activity view of the server ever holds the password.
 */
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

/** PostgreSQL's default (scram_iterations); the passwords are random, so more buys nothing. */
const ITERATIONS = 4096;

/** `password` is printable ASCII, for which SASLprep changes nothing. `salt` has 16 bytes. */
export const scramVerifier = async (password: string, salt = randomBytes(16)): Promise<string> => {
  const salted = await promisify(pbkdf2)(password, salt, ITERATIONS, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  const serverKey = hmac('Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
};
