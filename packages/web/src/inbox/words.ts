/** What the inbox says when something went wrong: the device's own words, except where a browser makes them another thing. */
import { CLIENT_ERRORS } from '@sealpost/client';
import { type ErrorTable, SealpostError } from '@sealpost/protocol';

export interface Words {
  readonly sentence: string;
  readonly hint: string;
  readonly code: string;
}

type Row = Pick<Words, 'sentence' | 'hint'>;

/** Codes that mean something of their own to somebody who looks at a page, and those of sync, which come without words. */
const HERE: Readonly<Record<string, Row>> = {
  ERR_CLIENT_AWAY: {
    sentence: 'The server cannot be reached from this page.',
    hint: 'It may be down, the network may be, or it may not allow this page’s address. Nothing is lost.',
  },
  ERR_CLIENT_STORE: {
    sentence: 'This browser does not let the page keep anything.',
    hint: 'Allow storage for this address, leave private browsing, or free some disk; then try again.',
  },
  ERR_CLIENT_STATE_DAMAGED: {
    sentence: 'What this browser kept of the device is damaged.',
    hint: 'Erase it here and enroll again with a new code.',
  },
  ERR_CLIENT_STATE_NEWER: {
    sentence: 'A newer version of this page has used the device.',
    hint: 'Reload the page to get that version.',
  },
  ERR_SYNC_REVOKED: {
    sentence: 'This device was revoked: it receives nothing more.',
    hint: 'What it received stays readable here. To go on, ask for a new code, then erase this device and enroll again.',
  },
  ERR_SYNC_SIGNATURE: {
    sentence: 'The gateway does not know this device, or not with this key.',
    hint: 'Ask your administrator whether it was removed. With a new code, erase this device and enroll again.',
  },
  ERR_SYNC_SUPERSEDED: {
    sentence: 'A newer connection of this same device has taken over.',
    hint: 'Come back online here to take over in turn.',
  },
  ERR_SYNC_CURSOR: {
    sentence: 'This browser holds an older copy of the device than the gateway has seen.',
    hint: 'An old backup was put back. Erase this device and enroll again with a new code.',
  },
};

const TABLE: ErrorTable = CLIENT_ERRORS;
const UNKNOWN: Row = {
  sentence: 'Something went wrong that this page has no words for.',
  hint: 'Reload it. If it repeats, tell your administrator the code.',
};

/** Of a code that came without its sentence. */
export function wordsOfCode(code: string): Words {
  const { sentence, hint } = HERE[code] ?? rowOf(code) ?? UNKNOWN;
  return { sentence, hint, code };
}

/** Of whatever was thrown. What is no error of ours came from the browser, which refused to keep something. */
export function wordsOf(error: unknown): Words {
  if (!(error instanceof SealpostError)) return wordsOfCode('ERR_CLIENT_STORE');
  const { code, message, hint } = error;
  return HERE[code] === undefined ? { sentence: message, hint, code } : wordsOfCode(code);
}

function rowOf(code: string): Row | undefined {
  return Object.entries(TABLE).find(([known]) => known === code)?.[1];
}
